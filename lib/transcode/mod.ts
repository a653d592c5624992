/**
 * From pickle to JSON and back while it flows, without values in between.
 *
 * @module
 */

export {
  type JsonToPickleOptions,
  JsonToPickleStream,
} from "./json_to_pickle.ts";
export {
  type PickleToJsonOptions,
  PickleToJsonStream,
} from "./pickle_to_json.ts";
export { type PicklePlan, planPickle, type TapeKind } from "./plan.ts";
