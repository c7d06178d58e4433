/** The style of the HTML page: light, dark and on paper, from 360 pixels up. */

export const style = `
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--quiet:#59636e;--line:#d1d9e0;--soft:#f6f8fa;--good:#116329;--bad:#b3141f;--careful:#7d4e00;--open:#0a5bb5;--good-soft:#e6f6ea;--bad-soft:#ffebe9;--careful-soft:#fff5d6;--open-soft:#e3f0ff}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#e6edf3;--quiet:#9da7b3;--line:#30363d;--soft:#161b22;--good:#56d364;--bad:#ff7b72;--careful:#e3b341;--open:#79c0ff;--good-soft:#0f2a18;--bad-soft:#3a1418;--careful-soft:#2f2508;--open-soft:#0c2440}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem clamp(.9rem,3vw,2.5rem) 4rem;background:var(--page);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:0 0 .4rem}
h2{font-size:1.15rem;margin:2.2rem 0 .6rem;padding-bottom:.3rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem;margin:0 0 .4rem}
p{margin:.4rem 0}
code,pre,.value{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em}
pre{background:var(--soft);border:1px solid var(--line);border-radius:6px;padding:.6rem .8rem;margin:.5rem 0;white-space:pre-wrap}
a{color:var(--open)}
.quiet{color:var(--quiet)}
.badge{display:inline-block;border:1px solid currentColor;border-radius:2rem;padding:.05rem .7rem;font-weight:600}
.bad{color:var(--bad)}.careful{color:var(--careful)}.open{color:var(--open)}.good{color:var(--good)}
.badge.bad{background:var(--bad-soft)}.badge.careful{background:var(--careful-soft)}.badge.open{background:var(--open-soft)}.badge.good{background:var(--good-soft)}
article{border:1px solid var(--line);border-left:5px solid var(--line);border-radius:6px;padding:.8rem 1rem;margin:.9rem 0;break-inside:avoid}
article.bad{border-left-color:var(--bad)}article.careful{border-left-color:var(--careful)}article.open{border-left-color:var(--open)}
article>*{color:var(--ink)}article .quiet{color:var(--quiet)}
article h3 .sign{margin-right:.45rem}
article.bad h3 .sign{color:var(--bad)}article.careful h3 .sign{color:var(--careful)}article.open h3 .sign{color:var(--open)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem .9rem;margin:.5rem 0;padding:.5rem .8rem;background:var(--soft);border-radius:6px}
dt{color:var(--quiet)}dd{margin:0}
dl .where{grid-column:1/-1;color:var(--quiet)}
mark{background:var(--bad-soft);color:var(--bad);font-weight:600;text-decoration:underline}
ul{margin:.4rem 0;padding-left:1.2rem}.gaps li{margin:.55rem 0;break-inside:avoid}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line)}th{color:var(--quiet);font-weight:600}
summary{cursor:pointer;font-weight:600}
.path{margin:.8rem 0 1.4rem}
.path svg{display:block;width:100%;height:auto}
.path .down{display:none;max-width:26rem}
.station rect{fill:var(--soft);stroke:var(--line);stroke-width:1.5}
.station.bad rect{fill:var(--bad-soft);stroke:var(--bad)}.station.careful rect{fill:var(--careful-soft);stroke:var(--careful)}.station.open rect{fill:var(--open-soft);stroke:var(--open);stroke-dasharray:5 4}.station.good rect{fill:var(--good-soft);stroke:var(--good)}.station.blocked rect,.station.none rect{stroke-dasharray:5 4}
.station text{fill:var(--ink);font-size:12px}
.station .name{font-weight:600;font-size:13px}.station .sign{font-weight:700;font-size:14px}
.station.bad .sign{fill:var(--bad)}.station.careful .sign{fill:var(--careful)}.station.open .sign{fill:var(--open)}.station.good .sign{fill:var(--good)}
.station .what{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:11px}
.station .words{fill:var(--quiet);font-size:11px}
.edge{fill:none;stroke:var(--quiet);stroke-width:1.6}.edge.cut{stroke:var(--bad);stroke-dasharray:3 4}
@media (max-width:760px){.path .across{display:none}.path .down{display:block}dl{grid-template-columns:1fr}dt{margin-top:.3rem}}
@media print{:root{--page:#fff;--ink:#000;--quiet:#444;--line:#bbb;--soft:#f4f4f4}body{max-width:none;padding:0}details::details-content{content-visibility:visible;block-size:auto}a{color:inherit}}
`
