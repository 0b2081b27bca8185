"""Draws a figure of a report: a Vega-Lite specification with the figure's data, as SVG and PNG.

The SVG is made to stand inside a page: it takes the page's text colour, its ids begin with the figure's name, and
equal inputs give equal bytes. No font, time zone or locale of the machine plays a part: text is measured and drawn by
Liberation Sans, which is inside vl-convert's wheel. Marks whose encoding has a `tooltip` (a field, or a list of fields
with title and format) show it when the pointer rests on them, without a script.
"""

import argparse
import json
import os
import re
import sys

import vl_convert

PNG_SCALE = 2  # pixels per unit of the specification


def number_or_null(number):
    """JSON has no NaN or infinity; protobuf writes them as strings."""
    return None if isinstance(number, str) else number


def records(dataset):
    """The records of a report.Dataset as the list of objects that Vega-Lite takes."""
    fields = dataset.get("fields", [])
    rows = []
    for record in dataset.get("records", []):
        values = [
            value["text"] if "text" in value else number_or_null(value["number"])
            for value in record.get("values", [])
        ]
        rows.append(dict(zip(fields, values)))
    return rows


def data_names(node):
    """The names of all data sources in a specification."""
    if isinstance(node, list):
        return {name for child in node for name in data_names(child)}
    if not isinstance(node, dict):
        return set()
    data = node.get("data")
    own = {data["name"]} if isinstance(data, dict) and "name" in data else set()
    return own.union(*(data_names(child) for child in node.values()))


def with_data(spec, figure, theme):
    """The specification, complete: the figure's data by name, and the theme under its own configuration."""
    datasets = {dataset["name"]: records(dataset) for dataset in figure.get("datasets", [])}
    missing = sorted(data_names(spec) - set(datasets))
    if missing:
        raise ValueError("the figure \"%s\" has no data set \"%s\"; it has: %s" %
                         (figure["name"], missing[0], ", ".join(sorted(datasets))))
    return {**spec, "datasets": datasets, "config": {**theme, **spec.get("config", {})}}


def hover_text(tooltip):
    """A Vega expression for the text of a tooltip: "network: AlexNet; mean (%): 75.83"."""
    parts = []
    for field in tooltip if isinstance(tooltip, list) else [tooltip]:
        if "field" not in field or "aggregate" in field:
            raise ValueError("a tooltip shows fields of the data as they are, not %s" % json.dumps(field))
        value = "datum[%s]" % json.dumps(field["field"])
        parts.append("isValid({value}) ? {title} + (isNumber({value}) ? format({value}, {format}) : {value}) : ''".format(
            value=value,
            title=json.dumps(field.get("title", field["field"]) + ": "),
            format=json.dumps(field.get("format", ".4~g")),
        ))
    lines = " + '\\n' + ".join("(%s)" % part for part in parts)
    return "replace(trim(%s), regexp('\\n+', 'g'), '; ')" % lines


def with_hover(node):
    """The specification with each tooltip also as the mark's description, which Vega writes into the SVG."""
    if isinstance(node, list):
        return [with_hover(child) for child in node]
    if not isinstance(node, dict):
        return node
    node = {name: with_hover(child) for name, child in node.items()}
    tooltip = node.get("encoding", {}).get("tooltip")
    if tooltip:
        calculate = {"calculate": hover_text(tooltip), "as": "hover"}
        node["transform"] = node.get("transform", []) + [calculate]
        node["encoding"] = {**node["encoding"], "description": {"field": "hover", "type": "nominal"}}
    return node


def with_titles(svg):
    """The marks' descriptions as titles, which a browser shows at the pointer.

    A line or an area has one description for all its points, that of the first: it gets no title.
    """
    def titled(match):
        tag, attributes = match.groups()
        label = re.search(r' aria-label="([^"]*)"', attributes)
        attributes = re.sub(r' (aria-label|role)="[^"]*"', "", attributes)
        role = re.search(r' aria-roledescription="([^"]*)"', attributes)
        attributes = attributes.replace(role.group(0), "") if role else attributes
        if not label or (role and role.group(1) in ("line mark", "area mark")):
            return "<%s%s/>" % (tag, attributes)
        return "<%s%s><title>%s</title></%s>" % (tag, attributes, label.group(1), tag)

    return re.sub(r'<(\w+)((?: [\w:-]+="[^"]*")*)/>', titled, svg)


def with_own_ids(svg, prefix):
    """Several pictures stand in one page, where an id must be there once."""
    svg = re.sub(r'\bid="', 'id="%s-' % prefix, svg)
    svg = re.sub(r'url\(#', 'url(#%s-' % prefix, svg)
    return re.sub(r'href="#', 'href="#%s-' % prefix, svg)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("spec", "data", "theme", "fonts", "svg", "png"):
        parser.add_argument("--" + name, required=True)
    args = parser.parse_args()
    # Read by vl_convert when it draws first.
    os.environ.update(FONTCONFIG_FILE=os.path.abspath(args.fonts), TZ="UTC")
    try:
        with open(args.fonts, encoding="utf-8"):
            pass  # were it missing, vl_convert would take the machine's fonts without a word
        with open(args.spec, encoding="utf-8") as file:
            spec = json.load(file)
        with open(args.data, encoding="utf-8") as file:
            figure = json.load(file)
        with open(args.theme, encoding="utf-8") as file:
            theme = json.load(file)
        chart = with_data(spec, figure, theme)
        svg = with_own_ids(with_titles(vl_convert.vegalite_to_svg(with_hover(chart))), figure["name"])
        chart["config"]["background"] = "white"
        png = vl_convert.vegalite_to_png(chart, scale=PNG_SCALE)
    except (OSError, ValueError) as error:  # vl_convert raises ValueError for a wrong specification
        print("error: %s: %s" % (args.spec, str(error).strip().split("\n")[0]), file=sys.stderr)
        return 2
    with open(args.svg, "w", encoding="utf-8") as file:
        file.write(svg.rstrip("\n") + "\n")
    with open(args.png, "wb") as file:
        file.write(png)
    return 0


if __name__ == "__main__":
    sys.exit(main())
