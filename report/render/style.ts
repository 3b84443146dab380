/** The page's look, on screen in light and dark, and on paper. Contrasts are above 4.5:1 throughout. */
export const STYLE = `
:root{--paper:#fff;--sheet:#f6f7f9;--ink:#1b2430;--soft:#4d5a6a;--line:#d5dbe3;--accent:#0b5c8a;--bar:#2f7fb0;
--good:#17663a;--goodbg:#e3f4e9;--warn:#7a4b00;--warnbg:#fdf1d6;--bad:#9c1c1c;--badbg:#fde6e4}
@media (prefers-color-scheme:dark){:root{--paper:#12171e;--sheet:#1a212b;--ink:#e6ebf2;--soft:#a9b5c4;--line:#323d4b;
--accent:#7cc3ec;--bar:#4a9ccb;--good:#7fd6a0;--goodbg:#12301f;--warn:#f0c674;--warnbg:#33270d;--bad:#ff9c94;--badbg:#3a1715}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
header,nav,main,footer{max-width:72rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
.kind{margin:0;color:var(--accent);font-weight:600;letter-spacing:.06em;text-transform:uppercase;font-size:.8rem}
h1{font-size:2.1rem;line-height:1.2;margin:.2rem 0 .6rem;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:0 0 .8rem}
.lede{font-size:1.1rem;color:var(--soft);margin:0 0 1.2rem;max-width:60rem}
.verdict{border-left:.3rem solid currentColor;border-radius:.3rem;padding:.7rem 1rem;margin:0 0 1.4rem;font-weight:600}
.verdict.good{background:var(--goodbg)}.verdict.warn{background:var(--warnbg)}.verdict.bad{background:var(--badbg)}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}.quiet{color:var(--soft)}
dl{margin:0}dt{color:var(--soft);font-size:.85rem}dd{margin:0;overflow-wrap:anywhere}
.facts{display:grid;gap:.6rem 1.5rem;grid-template-columns:repeat(auto-fit,minmax(15rem,1fr))}
.cards>div{background:var(--sheet);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem}
.cards dd{font-weight:600}
nav{margin-top:1.6rem}nav h2{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
nav ol{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;padding:.8rem 0;margin:0;border-block:1px solid var(--line)}
a{color:var(--accent)}a:focus-visible,[tabindex]:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem}
section{padding:2rem 0 0}
.scroll{overflow-x:auto;padding:0;border:1px solid var(--line);border-radius:.5rem;margin:0 0 1.2rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;padding:.6rem .8rem;color:var(--soft);font-size:.88rem}
th,td{padding:.45rem .8rem;text-align:left;vertical-align:top;border-top:1px solid var(--line);font-variant-numeric:tabular-nums}
tbody th{font-weight:600}thead th{background:var(--sheet);font-size:.85rem}
td,tbody th{overflow-wrap:break-word}tbody th{min-width:9rem}code.long{overflow-wrap:anywhere}time{white-space:nowrap}td.verdict{white-space:nowrap}
code,pre{font:.88em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
details{border:1px solid var(--line);border-radius:.5rem;margin:0 0 .5rem}
summary{padding:.5rem .8rem;cursor:pointer;overflow-wrap:anywhere}
pre{margin:0;padding:.8rem;overflow-x:auto;background:var(--sheet);border-top:1px solid var(--line)}
figure{margin:0 0 1.2rem;overflow-x:clip}figcaption{color:var(--soft);font-size:.9rem;margin-bottom:.6rem}
.lane{display:grid;grid-template-columns:11rem 1fr 6rem;gap:.8rem;align-items:center;min-height:1.9rem;border-top:1px solid var(--line)}
.lane .name{font-size:.9rem;overflow-wrap:anywhere}.lane .took{font-size:.85rem;color:var(--soft);text-align:right}
.track{position:relative;height:1.1rem;display:block}
.bar{position:absolute;top:.1rem;bottom:.1rem;min-width:3px;border-radius:.2rem;background:var(--bar);border-right:1px solid var(--paper)}
.bar.good{background:var(--good)}.bar.warn{background:var(--warn)}.bar.bad{background:var(--bad)}.bar.quiet{background:var(--line)}
.axis .track{height:1.5rem}.tick{position:absolute;top:0;font-size:.75rem;color:var(--soft);border-left:1px solid var(--line);padding-left:.25rem;white-space:nowrap}
footer{margin-top:3rem;padding-top:1rem;padding-bottom:3rem;color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}
footer p{margin:.2rem 0;border:0}
@media (max-width:40rem){.lane{grid-template-columns:7rem 1fr}header,nav,main,footer{padding-inline:1rem}.facts{grid-template-columns:1fr}.axis .tick:nth-child(even){display:none}.lane .took{display:none}h1{font-size:1.6rem}}
@media print{:root{--paper:#fff;--sheet:#f6f7f9;--ink:#000;--soft:#444;--line:#bbb;--accent:#0b4a70;--bar:#2f7fb0;
--good:#17663a;--goodbg:#fff;--warn:#7a4b00;--warnbg:#fff;--bad:#9c1c1c;--badbg:#fff}
@page{margin:15mm}body{font-size:10pt}nav,.skip,details{display:none}header,main,footer{max-width:none;padding-inline:0}
header{padding-top:0}.scroll{overflow:visible;border:0}tr,.lane,.cards>div{break-inside:avoid}h2,caption{break-after:avoid}thead{display:table-header-group}
table,thead th{font-size:8pt}th,td{padding:.3rem .4rem}.scroll:not(:has(tr:nth-child(12))){break-inside:avoid}tbody th{min-width:6rem}td:last-child{overflow-wrap:anywhere;min-width:8rem}
.bar,.cards>div,thead th{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
`;
