{ 'targets': [ { 'target_name': 'x', 'sources': [ '<!(node gen.js)' ] } ] }
