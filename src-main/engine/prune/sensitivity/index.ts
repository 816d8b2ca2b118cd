// Sensitivity analysis: measuring a map, reading curves off it, and cutting to a budget by it (scope 'sensitivity').

export { dropAt, dropCurve, monotoneFit, type DropCurve } from './curves';
export { checkSensitivityOptions, defaultSensitivityOptions } from './defaults';
export { isComplete, mapFits } from './rank';
export { scanSensitivity, sensitivitySplit, type SensitivitySink } from './scan';
