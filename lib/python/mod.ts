/**
 * Python's values: importing this makes all of them known.
 *
 * @module
 */

import "./builtins.ts";
