//! How the page looks.

/// Plain, narrow enough for a telephone, light or dark as the reader has it; pictures stay on white.
pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8882;--bad:#c31;--good:#087a55}\
@media(prefers-color-scheme:dark){:root{--bad:#f76;--good:#4c9}}\
*{box-sizing:border-box}\
body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:1rem;max-width:86rem}\
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.25rem;margin:2.2rem 0 .3rem;\
border-top:1px solid var(--line);padding-top:1rem}h3{font-size:1rem;margin:.8rem 0 .2rem}\
h4{font-size:.85rem;font-weight:600;margin:.7rem 0 .1rem}\
p{margin:.3rem 0;max-width:60rem}\
.runs{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:0 1.5rem}\
svg{width:100%;height:auto;display:block;background:#fff;border-radius:4px}\
.wide{overflow-x:auto}\
table{border-collapse:collapse;font-variant-numeric:tabular-nums}\
th,td{text-align:left;padding:.15rem .7rem .15rem 0;border-bottom:1px solid var(--soft);\
vertical-align:top}td.n,th.n{text-align:right}td.n{white-space:nowrap}td{overflow-wrap:anywhere}\
.good{color:var(--good)}.bad{color:var(--bad);font-weight:600}\
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;\
border:1px solid #0003}\
.stroke{display:inline-block;width:3px;height:.9em;margin-right:.4em;vertical-align:-.1em}\
small{font-weight:400;opacity:.75}\
ul.legend{list-style:none;padding:0;margin:.2rem 0;display:flex;flex-wrap:wrap;gap:.1rem .9rem;\
font-size:.85rem}\
details{margin:.5rem 0}summary{cursor:pointer}\
.log{max-height:24rem;overflow:auto;font-size:.85rem}\
@media print{.log{max-height:none}}";
