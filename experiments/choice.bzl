"""The flags that choose among the runs of a report: some networks, more or fewer seeds."""

load("//experiments:train_run.bzl", "RunInfo")

ChoiceInfo = provider(doc = "The value of a flag.", fields = ["value"])

def _choice_impl(ctx):
    return [ChoiceInfo(value = ctx.build_setting_value)]

models_flag = rule(
    implementation = _choice_impl,
    build_setting = config.string_list(flag = True),
    doc = "Names of networks, separated by commas; none: all of the report's.",
)

seeds_flag = rule(
    implementation = _choice_impl,
    build_setting = config.int(flag = True),
    doc = "How many seeds of each run; 0: as many as the scale has.",
)

def chosen_runs(runs, models, seeds):
    """The RunInfo of those runs that the flags `models` and `seeds` choose; fails where they leave none."""
    infos = [run[RunInfo] for run in runs]
    models = models[ChoiceInfo].value
    seeds = seeds[ChoiceInfo].value
    for model in models:
        if infos and model not in [info.model for info in infos]:
            fail("--//experiments:models=%s: no network of this report; give some of %s" % (
                model,
                ", ".join({info.model: None for info in infos}.keys()),
            ))
    first = min([info.seed for info in infos]) if infos else 0
    most = len({info.seed: None for info in infos})
    if seeds < 0 or seeds > most and infos:
        fail("--//experiments:seeds=%d: not in [0, %d], the seeds that this scale has; 0 takes its own number" % (seeds, most))
    return [
        info
        for info in infos
        if (not models or info.model in models) and (info.seed < first + seeds if seeds else not info.on_request)
    ]
