"""paper_experiment: the runs of a table or figure of the paper, their analysis, and its report.

    ./bazelw run //experiments/fig1                                   prints the report, writes the page
    ./bazelw run --//experiments:scale=paper //experiments/fig1       the same at another scale
    ./bazelw test //experiments/fig1/...                              holds the smoke runs to their golden values
    ./bazelw run //experiments/fig1:update_golden -- --reason="..."   writes new golden values

Each scale has targets of its own, so what one scale has computed stays when another is asked for.
"""

load("//experiments:choice.bzl", "chosen_runs")
load("//experiments:scale.bzl", "SCALES", "scale_select")
load("//experiments:train_run.bzl", "RunInfo")
load("//reports:charts.bzl", "chart")
load("//reports:site.bzl", "PageInfo")

ReportInfo = provider(
    doc = "The report of an experiment at one scale.",
    fields = {
        "report": "File: Report, binary, without what depends on the machine",
        "golden": "File: golden.textproto",
        "results": "list of File: RunResult of each run",
        "telemetry": "list of File: RunTelemetry of each run",
    },
)

def _report_impl(ctx):
    runs = chosen_runs(ctx.attr.runs, ctx.attr._models, ctx.attr._seeds)
    report = ctx.actions.declare_file(ctx.attr.scale + "/report.pb")
    args = ctx.actions.args()
    args.add("--scale=" + ctx.attr.scale)
    args.add(ctx.file.golden, format = "--golden=%s")
    args.add(report, format = "--out=%s")
    args.add_joined(ctx.files.inputs, join_with = ",", format_joined = "--inputs=%s")
    args.add_joined([run.result for run in runs], join_with = ",", format_joined = "--results=%s")
    args.add_joined([run.probabilities for run in runs], join_with = ",", format_joined = "--probabilities=%s")
    diagnoses = [run.diagnosis for run in runs if run.diagnosis]
    if diagnoses:
        args.add("--diagnoses=" + ",".join([run.diagnosis.path if run.diagnosis else "" for run in runs]))
    ctx.actions.run(
        executable = ctx.executable.analysis,
        arguments = [args],
        inputs = [ctx.file.golden] + ctx.files.inputs + [run.result for run in runs] +
                 [run.probabilities for run in runs] + diagnoses,
        outputs = [report],
        mnemonic = "Analyse",
        progress_message = "Analysing %s" % ctx.label.name,
    )
    return [
        DefaultInfo(files = depset([report])),
        ReportInfo(
            report = report,
            golden = ctx.file.golden,
            results = [run.result for run in runs],
            telemetry = [run.telemetry for run in runs],
        ),
    ]

_report = rule(
    implementation = _report_impl,
    attrs = {
        "analysis": attr.label(mandatory = True, executable = True, cfg = "target"),
        "golden": attr.label(mandatory = True, allow_single_file = [".textproto"]),
        "inputs": attr.label_list(allow_files = True),
        "runs": attr.label_list(providers = [RunInfo]),
        "scale": attr.string(mandatory = True, values = SCALES),
        "_models": attr.label(default = "//experiments:models"),
        "_seeds": attr.label(default = "//experiments:seeds"),
    },
)

def _joined(files):
    return ",".join([file.short_path for file in files])

def _launcher(ctx, template, substitutions, inputs):
    """DefaultInfo fields of a script that finds `inputs` in its runfiles."""
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = template,
        output = script,
        substitutions = dict(substitutions, **{"%{workspace}": ctx.workspace_name}),
        is_executable = True,
    )
    return dict(executable = script, runfiles = ctx.runfiles(inputs))

# ---- The report as it is shown ---------------------------------------------------------------------------------------

def _page(ctx, format, out, info, charts):
    """An action that renders the report to a file, without what depends on the machine."""
    args = ctx.actions.args()
    args.add("--format=" + format)
    args.add(info.report, format = "--report=%s")
    args.add(info.golden, format = "--golden=%s")
    args.add(out, format = "--out=%s")
    if charts:
        args.add("--chart=" + ",".join(charts))
    ctx.actions.run(
        executable = ctx.executable._render,
        arguments = [args],
        inputs = [info.report, info.golden] + ctx.files.charts,
        outputs = [out],
        mnemonic = "Render",
        progress_message = "Rendering %s" % out.short_path,
    )

def _show_impl(ctx):
    info = ctx.attr.report[ReportInfo]
    folder = info.report.dirname.rpartition("/")[2]
    pictures = {
        file.basename[:-len(".svg")]: file
        for file in ctx.files.charts
        if file.extension == "svg"
    }
    html = ctx.actions.declare_file(folder + "/report.html")
    markdown = ctx.actions.declare_file(folder + "/report.md")
    _page(ctx, "html", html, info, [name + "=" + file.path for name, file in pictures.items()])
    _page(ctx, "markdown", markdown, info, [name + "=" + file.basename for name, file in pictures.items()])
    launcher = _launcher(
        ctx,
        ctx.file._template,
        {
            # Folders of two experiments may have one name: "fig1/cifar10", "lemma1/cifar10".
            "%{name}": "%s_%s" % (ctx.label.package[len("experiments/"):], folder),
            "%{compare_golden}": ctx.executable._compare_golden.short_path,
            "%{render}": ctx.executable._render.short_path,
            "%{report}": info.report.short_path,
            "%{golden}": info.golden.short_path,
            "%{results}": _joined(info.results),
            "%{telemetry}": _joined(info.telemetry),
            "%{pictures}": " ".join([file.short_path for file in pictures.values()]),
            "%{step_times}": ctx.executable._step_times.short_path if ctx.attr.timed_policies else "",
            "%{models}": ",".join(ctx.attr.timed_models),
            "%{policies}": ",".join(ctx.attr.timed_policies),
        },
        [info.report, info.golden, ctx.executable._compare_golden, ctx.executable._render] +
        [ctx.executable._step_times] + info.results + info.telemetry + pictures.values(),
    )
    return [
        DefaultInfo(files = depset([info.report, html, markdown] + ctx.files.charts), **launcher),
        PageInfo(
            report = info.report,
            golden = info.golden,
            telemetry = info.telemetry,
            writer = launcher["executable"],
        ),
    ]

_show = rule(
    implementation = _show_impl,
    executable = True,
    attrs = {
        "charts": attr.label_list(),
        "report": attr.label(mandatory = True, providers = [ReportInfo]),
        "timed_models": attr.string_list(doc = "whose training steps are timed when the report is shown"),
        "timed_policies": attr.string_list(doc = "in which policies; empty: not timed"),
        "_compare_golden": attr.label(default = "//reports:compare_golden", executable = True, cfg = "target"),
        "_render": attr.label(default = "//reports:render", executable = True, cfg = "target"),
        "_step_times": attr.label(default = "//experiments/common:step_times", executable = True, cfg = "target"),
        "_template": attr.label(default = "//experiments:show_report.sh.tpl", allow_single_file = True),
    },
)

# ---- Golden values ---------------------------------------------------------------------------------------------------

def _golden_impl(ctx):
    if ctx.attr.report:
        info = ctx.attr.report[ReportInfo]
        report, golden, results, telemetry = info.report, info.golden, [], info.telemetry
    else:
        runs = [run[RunInfo] for run in ctx.attr.runs]
        report, golden = None, ctx.file.golden
        results, telemetry = [run.result for run in runs], [run.telemetry for run in runs]
    return [DefaultInfo(**_launcher(
        ctx,
        ctx.file.template,
        {
            "%{tool}": ctx.executable.tool.short_path,
            "%{report}": report.short_path if report else "",
            "%{golden}": golden.short_path,
            "%{results}": _joined(results),
            "%{telemetry}": _joined(telemetry),
        },
        ([report] if report else []) + [golden, ctx.executable.tool] + results + telemetry,
    ))]

_GOLDEN_ATTRS = {
    "golden": attr.label(allow_single_file = [".textproto"], doc = "of runs; a report names its own"),
    "report": attr.label(providers = [ReportInfo]),
    "runs": attr.label_list(providers = [RunInfo], doc = "instead of a report: whose bits the golden values hold"),
    "template": attr.label(mandatory = True, allow_single_file = [".sh.tpl"]),
    "tool": attr.label(mandatory = True, executable = True, cfg = "target"),
}

_golden_test = rule(implementation = _golden_impl, attrs = _GOLDEN_ATTRS, test = True)

_update_golden = rule(implementation = _golden_impl, attrs = _GOLDEN_ATTRS, executable = True)

def _golden_pair(test, update, scale, **attrs):
    """The test and the program that writes what it is held to."""

    # Only smoke is part of `//...`: the other scales take long, and read data sets.
    tags = [] if scale == "smoke" else ["manual"]
    _golden_test(
        name = test,
        size = "small",
        # Bits, so also the bits of other compilers.
        tags = tags or ["bits"],
        template = "//experiments:golden_test.sh.tpl",
        tool = "//reports:compare_golden",
        **attrs
    )
    _update_golden(
        name = update,
        tags = tags,
        template = "//experiments:update_golden.sh.tpl",
        tool = "//reports:update_golden",
        **attrs
    )

def golden_runs(name, runs):
    """Holds runs to their bits in `<name>.textproto`, which is committed beside them.

    Makes, for each scale, `<name>_<scale>_golden_test` and `<name>_update_golden_<scale>`.

    Args:
      name: of the file.
      runs: for each scale, the labels of its train_runs.
    """
    for scale in SCALES:
        _golden_pair(
            test = "%s_%s_golden_test" % (name, scale),
            update = "%s_update_golden_%s" % (name, scale),
            scale = scale,
            golden = name + ".textproto",
            runs = runs[scale],
        )

# ---- An experiment ---------------------------------------------------------------------------------------------------

def paper_experiment(
        name,
        analysis,
        charts,
        runs = {},
        inputs = [],
        golden = "golden.textproto",
        timed_models = [],
        timed_policies = []):
    """A table or figure of the paper, at every scale.

    Makes, for each scale, `<name>_<scale>` (run it to see the report; its files are the report, its pages and its
    pictures) and `<name>_<scale>_golden_test`; and at the scale of the flag `<name>` and `update_golden`.

    Args:
      name: the folder's name.
      analysis: binary whose main is AnalysisMain (experiments/common/analysis_main.h).
      charts: names of the report's figures, each drawn by `<figure>.vl.json`.
      runs: for each scale, the labels of its train_runs; none: an experiment that trains nothing.
      inputs: other files that the analysis reads; a list, or a list for each scale.
      golden: the paper's values, the rules that judge them, and our golden values. The bits of the runs stand with the
        runs (golden_runs).
      timed_models: the models whose training steps are timed when the report is shown, after the runs have ended.
      timed_policies: the policies that it times side by side; none: the report says "not measured".
    """
    for scale in SCALES:
        # Only smoke is part of `//...`: the other scales take long, and read data sets.
        tags = [] if scale == "smoke" else ["manual"]
        at_scale = "%s_%s" % (name, scale)
        report = at_scale + "_report"
        _report(
            name = report,
            analysis = analysis,
            golden = golden,
            inputs = inputs[scale] if type(inputs) == "dict" else inputs,
            runs = runs[scale] if runs else [],
            scale = scale,
            tags = tags,
            visibility = ["//experiments:__subpackages__"],
        )
        for figure in charts:
            chart(
                name = "%s/%s" % (scale, figure),
                spec = figure + ".vl.json",
                report = report,
                figure = figure,
                tags = tags,
            )
        _show(
            name = at_scale,
            charts = ["%s/%s" % (scale, figure) for figure in charts],
            report = report,
            tags = tags,
            timed_models = timed_models,
            timed_policies = timed_policies,
            visibility = ["//visibility:public"],
        )
        _golden_pair(
            test = at_scale + "_golden_test",
            update = "update_golden_" + scale,
            scale = scale,
            report = report,
        )
    native.filegroup(name = "golden_values", srcs = [golden], visibility = ["//experiments:__pkg__"])
    native.alias(name = name, actual = scale_select(":%s_%%s" % name), tags = ["manual"])
    native.alias(name = "update_golden", actual = scale_select(":update_golden_%s"), tags = ["manual"])
