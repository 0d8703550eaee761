var a = ;
function f( { b }
} c("x
) `${ 