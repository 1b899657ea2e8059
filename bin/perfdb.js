#!/usr/bin/env node
'use strict'

// Node's own answer to SIGUSR1 is to open its debugger: whoever may send a signal could then run code here.
process.on('SIGUSR1', () => undefined)

// CommonJS, because Node starts it 5 ms sooner than an ES module; dist/ is what `npm run build` makes of src/.
require('../dist/start.cjs')
