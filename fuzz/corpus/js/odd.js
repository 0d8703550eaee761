a
<!-- b
--> c
/[/]/v
\u0061b
0x1_0n
"\u{10ffff}\
"