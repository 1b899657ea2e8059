/** The page's own style: colours by the reader's preference, contrast of at least 4.5 for text, light on paper. */
export const style = `
:root{--page:#fff;--text:#1f2328;--line:#d1d9e0;--soft:#f6f8fa;--good:#1a7f37;--bad:#cf222e;--warn:#9a6700;--quiet:#59636e;--main:#0969da;--rest:#d4a72c;color-scheme:light}
@media screen and (prefers-color-scheme:dark){:root{--page:#0d1117;--text:#e6edf3;--line:#3d444d;--soft:#151b23;--good:#3fb950;--bad:#f85149;--warn:#d29922;--quiet:#9198a1;--main:#4493f8;--rest:#9e6a03;color-scheme:dark}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:1.5rem clamp(.9rem,3vw,3rem) 3rem;background:var(--page);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
header{border-left:.4rem solid var(--line);padding:.1rem 0 .1rem 1rem}
header.good{border-color:var(--good)}header.warn{border-color:var(--rest)}header.bad{border-color:var(--bad)}
header p{margin:.2rem 0}
.command{color:var(--quiet);font-weight:600}
header p.next{margin-top:.5rem;font-weight:600}
h1{font-size:clamp(1.25rem,1rem + 1.6vw,2rem);line-height:1.25;margin:.1rem 0 .4rem;text-wrap:pretty}
header.good .sign{color:var(--good)}header.warn .sign{color:var(--warn)}header.bad .sign{color:var(--bad)}
h2{font-size:1.3rem;line-height:1.3;margin:2.4rem 0 .8rem;padding-top:.9rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.6rem 0 .5rem}
p.title{font-weight:600;margin:0 0 .2rem}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.quiet{color:var(--quiet)}
header.good,header.warn,header.bad{color:inherit}
p.verdict{font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(7rem,1fr));gap:.6rem;margin:1.4rem 0 0}
main>:not(h2):first-child{margin-top:1.4rem}
.tiles div{background:var(--soft);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .8rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.tiles dt{color:var(--quiet);font-size:.85rem}
.tiles dd{margin:0;font-size:clamp(1.15rem,1rem + .8vw,1.5rem);white-space:nowrap;font-weight:600;line-height:1.3}
main>.tiles+:not(h2){margin-top:1.4rem}
nav{margin-top:1.4rem;font-size:.92rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:0;padding:0}
a{color:var(--main)}
:focus-visible{outline:2px solid var(--main);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line)}
th{color:var(--quiet);font-weight:600;white-space:nowrap}
tbody tr:hover{background:var(--soft)}
.number{text-align:right;white-space:nowrap}
td.sign,td.name,span.name,p.name,dd.name,.node,code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
td.word,td.sign{white-space:nowrap}td.long{white-space:normal;min-width:8rem}
.number+.word,.number+.name,.number+.prose{padding-left:.7rem}
td.name{min-width:9rem}td.prose{min-width:12rem}
.items{list-style:none;margin:0;padding:0}
.items li{border-left:.25rem solid var(--line);padding:.15rem 0 .15rem .8rem;margin:.6rem 0;color:var(--text)}
.items li.good{border-color:var(--good)}.items li.bad{border-color:var(--bad)}.items li.warn{border-color:var(--rest)}
.items li.good strong{color:var(--good)}.items li.bad strong{color:var(--bad)}.items li.warn strong{color:var(--warn)}.items li.quiet strong{color:var(--quiet)}
.items dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem .8rem;margin:.2rem 0 0;font-size:.92rem}
.items dt{color:var(--quiet)}.items dt.good{color:var(--good)}.items dt.bad{color:var(--bad)}.items dd{margin:0;white-space:pre-line;min-width:0}
details{margin:.6rem 0}
summary{cursor:pointer;color:var(--main)}
pre{background:var(--soft);border:1px solid var(--line);border-radius:.5rem;padding:.8rem;overflow-x:auto;white-space:pre-wrap}
.drawings{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,38rem),1fr));gap:1.2rem 2.5rem;margin:0 0 1.2rem;align-items:start}
.drawing{margin:0;min-width:0}
.chart{container-type:inline-size;margin:0}
.chart figcaption{color:var(--quiet);font-size:.85rem;margin-bottom:.5rem}
.legend{display:inline-flex;flex-wrap:wrap;gap:0 .9rem;vertical-align:middle}
.key{display:inline-flex;align-items:center;gap:.35rem}
.chart ul{list-style:none;margin:0;padding:0}
.chart li{display:grid;grid-template-columns:1fr auto;gap:0 .8rem;font-size:.85rem;line-height:1.35;padding:.12rem 0}
.chart li{padding-bottom:.3rem}
.chart .label{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.94em}
.chart .value{text-align:right;font-variant-numeric:tabular-nums}
.chart .plot{grid-column:1/-1;display:block;overflow:visible}
.chart .strong{font-weight:600}
@container (min-width:38rem){.chart ul{display:grid;grid-template-columns:fit-content(15rem) minmax(8rem,1fr) fit-content(15rem)}.chart li{grid-column:1/-1;grid-template-columns:subgrid;align-items:center;padding-bottom:.12rem}.chart .label{order:1;text-align:right}.chart .plot{order:2;grid-column:2}.chart .value{order:3;text-align:left}}
svg text{fill:var(--quiet);font-size:11px;font-family:inherit}
line.tick{stroke:var(--line);stroke-width:1}
line.reference{stroke:var(--quiet);stroke-width:1.5}
line.range,line.link{stroke-width:2}line.link{stroke-width:1.5;stroke-dasharray:2 2}
rect.main,circle.dot.main{fill:var(--main)}rect.rest{fill:var(--rest)}rect.good,circle.dot.good{fill:var(--good)}rect.bad,circle.dot.bad{fill:var(--bad)}rect.warn,circle.dot.warn{fill:var(--warn)}rect.quiet,circle.dot.quiet{fill:var(--quiet)}circle.dot.plain{fill:var(--text)}rect.track{fill:var(--line)}
circle.ring{fill:var(--page);stroke-width:2}
line.main,circle.ring.main{stroke:var(--main)}line.good,circle.ring.good{stroke:var(--good)}line.bad,circle.ring.bad{stroke:var(--bad)}line.warn,circle.ring.warn{stroke:var(--warn)}line.quiet,circle.ring.quiet{stroke:var(--quiet)}line.plain,circle.ring.plain{stroke:var(--text)}
.sides{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem 2rem;margin:.4rem 0 1rem}
.side{min-width:0}
.tree,.tree ul{list-style:none;margin:0;padding:0}
.tree ul{border-left:1px solid var(--line);margin-left:.3rem;padding-left:.9rem}
.tree details{margin:0}
.tree summary{color:inherit}
.tree .leaf{padding-left:1.1rem}
.tree li{font-size:.88rem;margin:.25rem 0}
.node{font-weight:600}
.condition{display:block;color:var(--quiet);font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.9em;padding-left:1.1rem}
footer{margin-top:3rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
@media screen and (min-width:60rem){td.name:not(.long){white-space:nowrap}td.name:not(.long) wbr{display:none}}
@media screen and (max-width:60rem){th,td.word:not(.long),td.number:not(.long){white-space:normal;overflow-wrap:normal}th,td{padding-right:.5rem;padding-left:0}td.prose{min-width:7rem}}
@media screen and (max-width:48rem){
table,thead,tbody{display:block}
thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
tr{display:flex;flex-wrap:wrap;gap:0 .9rem;padding:.45rem 0;border-bottom:1px solid var(--line)}
th,td{padding:0;border:0}
td:empty{display:none}
td.name{flex:1 1 calc(100% - 2.2rem);min-width:0}td.name~td.name{flex:0 1 auto}
.number+.word,.number+.name,.number+.prose{padding-left:0}td.prose{flex-basis:100%;min-width:0}
td.number,td.word{text-align:left}
td.number::before,td.word::before,td.prose::before,td.name~td.name::before{content:attr(data-head) " ";color:var(--quiet)}
td.sign{flex:0 0 1rem}
}
@media print{
body{max-width:none;padding:0;font-size:.85rem}
nav{display:none}
table{font-size:.9em}th{white-space:normal}td.name,td.prose{min-width:0}
h2,h3,p.title{break-after:avoid}
tr,li,.tiles div,.chart{break-inside:avoid}
thead{display:table-header-group}
details::details-content{content-visibility:visible;display:block;height:auto}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`
