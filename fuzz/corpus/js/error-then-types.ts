let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
let a: = 1;
class B { constructor(private c, @d( }
function e(f: g
function h(): I {}
              