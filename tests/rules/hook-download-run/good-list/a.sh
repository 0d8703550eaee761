#!/bin/sh
# Never runs: an inert look-alike for `qanat rules test`.
[ -n "$QANAT_FIXTURE_NEVER_SET" ] || exit 0
U=https://w.example.invalid/t.tgz
curl -fsSL -o t.tgz "$U"
echo "00  t.tgz" | sha256sum -c - && tar xzf t.tgz
