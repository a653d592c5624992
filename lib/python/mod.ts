/**
 * Python's values: importing this makes all of them known.
 *
 * @module
 */

import "./builtins.ts";
import "./numpy_dtype.ts";
import "./numpy.ts";
import "./numpy_random.ts";
