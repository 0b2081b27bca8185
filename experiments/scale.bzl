"""The scales at which an experiment exists, and the flag that picks one."""

# From seconds on made-up data, over minutes on real data, to the paper's own protocol.
SCALES = ["smoke", "lite", "paper"]

def _scale_flag_impl(ctx):
    value = ctx.build_setting_value
    if value not in SCALES:
        fail("--//experiments:scale=%s is not a scale; give one of %s" % (value, ", ".join(SCALES)))
    return []

scale_flag = rule(
    implementation = _scale_flag_impl,
    build_setting = config.string(flag = True),
    doc = "A string flag that takes the name of a scale.",
)

def scale_select(pattern):
    """The label that `pattern`, e.g. ":fig1_%s", gives at the scale that the flag names."""
    return select({"//experiments:is_" + scale: pattern % scale for scale in SCALES})
