/**
 * Python's values: importing this makes all of them known.
 *
 * @module
 */

import "./builtins.ts";
import "./array.ts";
import "./collections.ts";
import "./datetime.ts";
import "./enum.ts";
import "./functions.ts";
import "./io.ts";
import "./ip_address.ts";
import "./iterators.ts";
import "./numbers.ts";
import "./path.ts";
import "./regex.ts";
import "./timedelta.ts";
import "./timezone.ts";
import "./typing.ts";
import "./uuid.ts";
import "./numpy_dtype.ts";
import "./numpy.ts";
import "./numpy_random.ts";
import "./arrow.ts";
import "./pandas_time.ts";
import "./pandas.ts";
import "./torch.ts";
import "./joblib.ts";
import "./science.ts";
