"""The report in JUnit's XML, which CI systems read: a test case for each notebook."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from batch.preparation import Work
from batch.report import place

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(path: Path, work: Work) -> None:
    """Write the file: a failure is one of a notebook, an error is an interruption. Raises OSError."""
    entries = work.entries()
    results = [entry["result"] if entry else "skipped" for entry in entries.values()]
    counts = {
        "tests": len(results),
        "failures": results.count("failed"),
        "errors": results.count("interrupted"),
        "skipped": results.count("skipped"),
        "time": sum(entry["seconds"] for entry in entries.values() if entry),
    }
    attributes = {name: f"{count:.3f}" if name == "time" else str(count) for name, count in counts.items()}
    series = work.notebooks[0].parent.name
    suites = ET.Element("testsuites", attributes)
    suite = ET.SubElement(suites, "testsuite", {"name": series, **attributes})
    for name, entry in entries.items():
        case = ET.SubElement(suite, "testcase", {"classname": series, "name": name})
        if entry is None:
            ET.SubElement(case, "skipped", {"message": "a notebook before it did not run to its end"})
            continue
        case.set("time", f"{entry['seconds']:.3f}")
        if entry["results"]:
            properties = ET.SubElement(case, "properties")
            for result, value in entry["results"].items():
                text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
                ET.SubElement(properties, "property", {"name": xml_text(result), "value": xml_text(text)})
        if entry["result"] != "ok":
            add_problem(case, entry)
    ET.indent(suites)
    ET.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def add_problem(case: ET.Element, entry: dict) -> None:
    error = entry["error"]
    kind, _, _ = error["message"].partition(":")
    tag = "error" if entry["result"] == "interrupted" else "failure"
    problem = ET.SubElement(case, tag, {"type": xml_text(kind), "message": xml_text(error["message"])})
    problem.text = xml_text(f"{entry['result']} {place(error)}\n{error.get('traceback', error['message'])}")


def xml_text(text: str) -> str:
    """The text without characters that neither XML nor HTML may have."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
