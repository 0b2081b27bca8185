"""chart: a figure of a report, drawn by a Vega-Lite specification."""

def _chart_impl(ctx):
    data = ctx.outputs.data
    ctx.actions.run(
        executable = ctx.executable._figure_data,
        arguments = [
            "--report=" + ctx.file.report.path,
            "--figure=" + ctx.attr.figure,
            "--out=" + data.path,
        ],
        inputs = [ctx.file.report],
        outputs = [data],
        mnemonic = "FigureData",
    )

    # A py_binary would need a `python` on the path; Debian has `python3` only.
    site = ctx.file._vl_convert.dirname
    ctx.actions.run(
        executable = "/usr/bin/env",
        arguments = [
            "python3",
            "-S",
            ctx.file._draw.path,
            "--spec=" + ctx.file.spec.path,
            "--data=" + data.path,
            "--theme=" + ctx.file._theme.path,
            "--fonts=" + ctx.file._fonts.path,
            "--svg=" + ctx.outputs.svg.path,
            "--png=" + ctx.outputs.png.path,
        ],
        inputs = depset(
            [ctx.file.spec, data, ctx.file._theme, ctx.file._fonts, ctx.file._draw],
            transitive = [depset(ctx.files._vl_convert_site)],
        ),
        outputs = [ctx.outputs.svg, ctx.outputs.png],
        env = dict(
            ctx.configuration.default_shell_env,
            # Beside Python's own library only the wheel: neither what the machine or the user has installed (-S), nor
            # what lies beside the script in the source tree.
            LC_ALL = "C",
            PYTHONDONTWRITEBYTECODE = "1",
            PYTHONHASHSEED = "0",
            PYTHONPATH = site,
            PYTHONSAFEPATH = "1",
            TZ = "UTC",
        ),
        mnemonic = "Chart",
        progress_message = "Drawing %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([ctx.outputs.svg, ctx.outputs.png]))]

_chart = rule(
    implementation = _chart_impl,
    attrs = {
        "spec": attr.label(mandatory = True, allow_single_file = [".vl.json"]),
        "report": attr.label(mandatory = True, allow_single_file = True),
        "figure": attr.string(mandatory = True),
        "data": attr.output(mandatory = True),
        "svg": attr.output(mandatory = True),
        "png": attr.output(mandatory = True),
        # In the target configuration: all of it is built there already.
        "_figure_data": attr.label(default = "//reports:figure_data", executable = True, cfg = "target"),
        "_draw": attr.label(default = "//reports:chart.py", allow_single_file = True),
        "_theme": attr.label(default = "//reports:chart_theme.json", allow_single_file = True),
        "_fonts": attr.label(default = "//reports:chart_fonts.conf", allow_single_file = True),
        "_vl_convert": attr.label(default = "@pip_vl_convert//:site/marker", allow_single_file = True),
        "_vl_convert_site": attr.label(default = "@pip_vl_convert//:site"),
    },
)

def chart(name, spec, report, figure, **kwargs):
    """Draws `<name>.svg` and `<name>.png`, from `<name>.json`.

    Args:
      name: name of the target.
      spec: Vega-Lite specification, *.vl.json; it names its data: {"data": {"name": "..."}}.
      report: file with a Report, binary or *.textproto.
      figure: name of the figure in the report whose data are drawn.
      **kwargs: what every rule takes.
    """
    _chart(
        name = name,
        spec = spec,
        report = report,
        figure = figure,
        data = name + ".json",
        svg = name + ".svg",
        png = name + ".png",
        **kwargs
    )
