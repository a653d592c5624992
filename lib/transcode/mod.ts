/**
 * From pickle to JSON and back, while it flows.
 *
 * @module
 */

export {
  type PickleToJsonOptions,
  PickleToJsonStream,
} from "./pickle_to_json.ts";
export { type PicklePlan, planPickle } from "./plan.ts";
