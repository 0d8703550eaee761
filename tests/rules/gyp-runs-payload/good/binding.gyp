{ 'targets': [ { 'target_name': 'x', 'sources': [ 'x.cc' ], 'include_dirs': [ '<!(node -p "require(\'node-addon-api\').include")' ], 'conditions': [ [ '"<!(node has.js)"=="1"', {} ] ] } ] }
