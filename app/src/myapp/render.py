"""The report as HTML fragments, for a page that includes `parts.css`. All external text is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from myapp.report import DIRECT, INDIRECT, PINNED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from myapp.report import Import, Package, Report

WAITING = (
    '<div class="verdict wait"><p class="headline">Checking …</p><p>The first import tests are under way.</p></div>'
)
PENDING = '<p class="pending">…</p>'


def clock(time: str) -> str:
    """Write a time of a report for people. The element's title has the date, and its `datetime` the whole time."""
    date, _, rest = time.partition("T")
    return f'<time datetime="{escape(time)}" title="{escape(date)}">{escape(rest[:8])} UTC</time>'


def headline(report: Report | None, trouble: str | None = None) -> tuple[str, str]:
    """Return the verdict: its state ("wait", "ok", "warn" or "bad") and its text."""
    if trouble:
        return "bad", "Not known"
    if report is None:
        return "wait", "Checking …"
    if report.problems:
        return "bad", _count(len(report.problems), "problem")
    if report.warnings:
        return "warn", f"Works, with {_count(len(report.warnings), 'requirement')} not met"
    return "ok", "All well"


def overview(report: Report | None, trouble: str | None = None, since: str | None = None) -> str:
    """Summarize whether the application is healthy, and any problems.

    Args:
        report: The latest report; None: there is none yet.
        trouble: Why the report does not show the present state; None: it does.
        since: When the state became unhealthy.
    """
    state, verdict = headline(report, trouble)
    if state == "wait":
        return WAITING
    told = f"<li>{escape(trouble)}</li>" if trouble else ""
    if report is not None:
        told += "".join(f"<li>{escape(each)}</li>" for each in report.problems)
        told += "".join(f'<li class="minor">{escape(each)}</li>' for each in report.warnings)
        if not told:
            versions = sorted({package.installed or "none" for package in report.pinned})
            which = f"version {versions[0]}" if len(versions) == 1 else "the versions required"
            told = f"<li>{_count(len(report.pinned), 'package')} at {escape(which)}, and every one imports</li>"
    # The report's age is outside of the status, since screen readers read the status out when it changes. The page's
    # script writes the age in words.
    age = f'<p class="when">checked <span class="ago" data-time="{escape(report.taken)}">' if report else ""
    age += f"{escape(report.taken[:10])} {escape(report.taken[11:19])} UTC</span></p>" if report else ""
    begun = f'<p class="since">Failing since {_day(since)}</p>' if since and state == "bad" else ""
    line = f'<p class="headline">{_mark(state)}{escape(verdict)}</p>'
    return f'<div class="verdict {state}"><div role="status">{line}<ul>{told}</ul></div>{begun}{age}</div>'


def provenance(report: Report | None) -> str:
    """Show the application's version, image and start time, and whether its packages are from a work tree."""
    if report is None:
        return ""
    about = report.system
    said = [f"{escape(report.application)} {escape(report.version)}"]
    if about.revision:
        said.append(f"image revision <code>{escape(about.revision[:12])}</code>")
    if about.built:
        said.append(f"of {_minute(about.built)}")
    said.append(f"running since {_minute(about.started)}")
    known = {"version": report.version, "revision": about.revision or "", "started": about.started}
    if about.before and about.until and about.before != about.revision:
        known |= {"before": about.before, "until": about.until}
    marks = "".join(f' data-{name}="{escape(value)}"' for name, value in known.items())
    line = f'<p class="release"{marks}>{" · ".join(said)}</p>'
    if not report.sources:
        return line
    which = "All foopack packages" if len(report.sources) == len(report.pinned) else ", ".join(report.sources)
    told = f"<strong>Development:</strong> {escape(which)} come from a work tree, not from the channel."
    return f'{line}<p class="local">{told}</p>'


def newer(found: Iterable[tuple[str, str]] | None, failure: Exception | None = None) -> str:
    """Show the newer versions on the channel; None if the channel has not been queried."""
    if failure is not None:
        return f'<p class="newer">The channel cannot be asked: {escape(str(getattr(failure, "reason", failure)))}</p>'
    if found is None:
        return ""
    told = ", ".join(f"{escape(name)} {escape(version)}" for name, version in found)
    return (
        f'<p class="newer"><strong>Newer on the channel:</strong> {told}</p>'
        if told
        else '<p class="newer">Nothing newer on the channel</p>'
    )


def taken(report: Report | None, within: float | None = None) -> str:
    """Show the time of the last refresh. The page's script expects the next one in `within` seconds."""
    if report is None:
        return ""
    expects = "" if within is None else f' data-within="{within:g}"'
    return f'<p class="taken"{expects}>Last refresh <strong>{clock(report.taken)}</strong></p>'


def packages(report: Report | None) -> str:
    """Draw the table of the pinned and directly required packages, with problems marked."""
    if report is None:
        return PENDING
    near = {report.application, *(package.name for package in report.pinned)}
    pinned = _rows((package for package in report.packages if package.kind == PINNED), near)
    direct = _rows((package for package in report.packages if package.kind == DIRECT), near)
    return (
        '<table><thead><tr><th scope="col">Package</th><th scope="col">Installed</th><th scope="col">Required</th>'
        f'</tr></thead><tbody class="pinned">{pinned}</tbody><tbody>{direct}</tbody></table>'
    )


def indirect(report: Report | None) -> str:
    """Draw the indirectly required packages, folded if all requirements are met."""
    if report is None:
        return ""
    further = [package for package in report.packages if package.kind == INDIRECT]
    if not further:
        return ""
    wrong = sum(1 for package in further if package.problem)
    state = f"{wrong} not as required" if wrong else "all as required"
    return (
        f"<details{' open' if wrong else ''}><summary>{_count(len(further), 'further package')}, {state}</summary>"
        '<table><thead><tr><th scope="col">Package</th><th scope="col">Installed</th><th scope="col">Required</th>'
        f"</tr></thead><tbody>{_rows(further, set())}</tbody></table></details>"
    )


def sample(table: str | None, fault: str | None) -> str:
    """Write the sample as a table, or the reason why it cannot be drawn. If both are missing, the result is pending."""
    if table is not None:
        return f'<pre tabindex="0">{escape(table)}</pre>'
    return f'<p class="error">The sample cannot be drawn: {escape(fault)}</p>' if fault else PENDING


def system(report: Report | None) -> str:
    """List the facts about the system."""
    if report is None:
        return PENDING
    about = report.system
    facts = [
        ("Python", f"{escape(about.python)} ({escape(about.implementation)})"),
        ("Platform", escape(about.platform)),
        ("Machine", escape(about.machine)),
        ("Container", escape(about.container or "none")),
        ("Image revision", f"<code>{escape(about.revision)}</code>" if about.revision else "none"),
        ("Host", escape(about.host)),
        ("Process", f"{about.process}, since {_day(about.started)}"),
    ]
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in facts)}</dl>"


def attempt(tried: Import) -> str:
    """Write the result of an import in one line."""
    if tried.error is None:
        return (
            f'<p class="import"><span class="name">{_mark("ok")}{escape(tried.package)}</span>'
            f'<span class="seconds">{tried.seconds:.1f} s</span></p>'
        )
    return (
        f'<p class="import failed"><span class="name">{_mark("bad")}{escape(tried.package)}</span>'
        f'<span class="seconds">{tried.seconds:.1f} s</span></p><p class="error">{escape(tried.error)}</p>'
    )


def traceback(tried: Import) -> str:
    """Write the traceback of a failed import, folded; "" if there is none."""
    if tried.traceback is None:
        return ""
    return (
        f"<details><summary>Traceback of {escape(tried.package)}</summary>"
        f'<pre tabindex="0">{escape(tried.traceback)}</pre></details>'
    )


def _rows(packages: Iterable[Package], near: set[str]) -> str:
    return "".join(_row(package, near) for package in packages)


def _row(package: Package, near: set[str]) -> str:
    """Draw one package: the requirements of the packages in `near`, and other requirements only if they are unmet."""
    unmet = set(package.unmet)
    shown = [each for each in package.requirements if each in unmet or not near or each.by in near]
    by: dict[tuple[str, bool], list[str]] = {}
    for each in shown:
        by.setdefault((each.specifier, each in unmet), []).append(each.by)
    asked = "".join(
        f'<li{" class=unmet" if wrong else ""}><span class="specifier">{escape(specifier or "any")}</span> '
        f'<span class="by">{escape(", ".join(names))}</span></li>'
        for (specifier, wrong), names in by.items()
    )
    mark = f'{_mark("bad")}<span class="sr">not as required: </span>' if unmet else ""
    where = f'<span class="source" title="{escape(package.source)}">work tree</span>' if package.source else ""
    return (
        f'<tr{" class=wrong" if unmet else ""}><th scope="row">{escape(package.name)}{where}</th>'
        f'<td class="installed">{mark}{escape(package.installed or "missing")}</td>'
        f'<td><ul class="asked">{asked}</ul></td></tr>'
    )


def _mark(state: str) -> str:
    """Draw a status icon. Its shape has the same meaning as its color."""
    shapes = {"ok": "M4 8.5l3 3 5.5-7", "bad": "M4.5 4.5l7 7m0-7l-7 7", "warn": "M8 3.5v5.5m0 2.6v.9"}
    return (
        f'<svg class="mark {state}" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="8"/>'
        f'<path d="{shapes[state]}"/></svg>'
    )


def _day(time: str) -> str:
    return f'<time datetime="{escape(time)}">{escape(time[:10])} {escape(time[11:19])} UTC</time>'


def _minute(time: str) -> str:
    return f'<time datetime="{escape(time)}">{escape(time[:10])} {escape(time[11:16])} UTC</time>'


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
