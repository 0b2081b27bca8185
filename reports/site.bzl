"""site: all reports in one folder, with an index, written and served on loopback.

    ./bazelw run //reports:site [-- --out_dir=FOLDER]       writes the folder
    ./bazelw run //reports:site -- --markdown               writes README.md and report.md in place of pages for a browser
    ./bazelw run //reports:serve [-- --port=8000]           writes it and shows it to this machine's browser
"""

PageInfo = provider(
    doc = "A report with the program that writes its page; the program's runfiles are the target's.",
    fields = {
        "report": "File: Report, binary",
        "golden": "File: golden.textproto",
        "telemetry": "list of File: RunTelemetry of each run",
        "writer": "File: program; --out_dir=FOLDER says where the page goes, --times=no leaves times out",
    },
)

def _site_impl(ctx):
    # An experiment's folder in the site is its package's path below the site's own.
    above = len(ctx.label.package) + 1
    pages = [(target.label.package[above:], target[PageInfo]) for target in ctx.attr.pages]
    script = ctx.actions.declare_file(ctx.label.name + ".sh")
    ctx.actions.expand_template(
        template = ctx.file._template,
        output = script,
        substitutions = {
            "%{workspace}": ctx.workspace_name,
            "%{index}": ctx.executable._index.short_path,
            "%{pages}": ",".join([
                "=".join([folder, page.report.short_path, page.golden.short_path])
                for folder, page in pages
            ]),
            "%{telemetry}": ",".join([file.short_path for _, page in pages for file in page.telemetry]),
            "%{writers}": " ".join([folder + "=" + page.writer.short_path for folder, page in pages]),
            "%{serve}": ctx.file._serve.short_path if ctx.attr.serve else "",
        },
        is_executable = True,
    )
    runfiles = ctx.runfiles([ctx.executable._index, ctx.file._serve])
    for target in ctx.attr.pages:
        runfiles = runfiles.merge(target[DefaultInfo].default_runfiles)
    return [DefaultInfo(executable = script, runfiles = runfiles)]

site = rule(
    implementation = _site_impl,
    executable = True,
    attrs = {
        "pages": attr.label_list(mandatory = True, providers = [PageInfo], doc = "in the order in which they are shown"),
        "serve": attr.bool(doc = "whether the folder is also served on loopback, until Ctrl-C"),
        "_index": attr.label(default = "//reports:site_index", executable = True, cfg = "target"),
        "_serve": attr.label(default = "//reports:serve.py", allow_single_file = True),
        "_template": attr.label(default = "//reports:site.sh.tpl", allow_single_file = True),
    },
)
