#!/usr/bin/env node
// not in dist/, so that installing links it before anything is built
import '../dist/main.js'
