"""The backends that train, and the flag that picks one."""

# A result is the same to the bit on all of them (engine/backend_names.h).
BACKENDS = ["cpu", "cuda"]

BackendInfo = provider(doc = "The backend that the flag names.", fields = ["name"])

def _backend_flag_impl(ctx):
    value = ctx.build_setting_value
    if value not in BACKENDS:
        fail("--//experiments:backend=%s is not a backend; give one of %s" % (value, ", ".join(BACKENDS)))
    return [BackendInfo(name = value)]

backend_flag = rule(
    implementation = _backend_flag_impl,
    build_setting = config.string(flag = True),
    doc = "A string flag that takes the name of a backend.",
)
