// What all destinations share. It runs before any of them.
import { node } from './shims.js'
import * as core from './core.js'
import run from './run.js'

globalThis.__pack = { node, core, run }
