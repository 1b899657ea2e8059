#!/usr/bin/env node
'use strict'

// CommonJS, because Node starts it 5 ms sooner than an ES module; dist/ is what `npm run build` makes of src/.
require('../dist/main.cjs')
