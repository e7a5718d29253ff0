import { expect, it } from 'vitest';
import { averagesBeside, isAverageTag } from './averages';

const series = (tag: string, shape = [8, 3, 5, 5], axis = 'step' as const) => ({ tag, shape, axis });

it('finds averages by the words of their names, and the weights of an average', () => {
  const check = (weights: string, average: string): void => {
    const all = [series(weights), series(average), series('other/weight')];
    expect(averagesBeside(series(weights), all).map(({ tag }) => tag)).toEqual([average]);
    expect(averagesBeside(series(average), all).map(({ tag }) => tag)).toEqual([weights]);
    expect([isAverageTag(weights), isAverageTag(average)]).toEqual([false, true]);
  };
  // timm; torchvision's references; TensorFlow 1; Flax; files such as `model_ema.pt` beside `model.pt`.
  check('conv1.weight', 'state_dict_ema/conv1.weight');
  check('conv1.weight', 'model_ema/conv1.weight');
  check('conv1/weights', 'conv1/weights/ExponentialMovingAverage');
  check('params/conv1/kernel', 'ema_params/conv1/kernel');
  check('model/conv1.weight', 'ema/conv1.weight');
});

it('takes nothing of another shape or axis, and no name that only contains such a word', () => {
  const average = 'state_dict_ema/conv1.weight';
  expect(averagesBeside(series('conv1.weight'), [series(average, [8, 3, 3, 3])])).toEqual([]);
  expect(averagesBeside(series('conv1.weight'), [{ ...series(average), axis: 'epoch' as const }])).toEqual([]);
  expect(isAverageTag('schema/conv1.weight')).toBe(false);
  expect(isAverageTag('avgpool.weight')).toBe(false);
});
