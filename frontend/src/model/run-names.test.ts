import { describe, expect, it } from 'vitest';
import { cuttable, ownPart, sharedParts } from './run-names';

describe('names of runs', () => {
  it.each([
    [['tf-event-files/20170709-1/train', 'tf-event-files/20170710-2/train'], 'tf-event-files/', '/train'],
    [['a/b/c', 'a/b/d'], 'a/b/', ''],
    [['ab/c', 'a/c'], '', '/c'],
    [['.', 'train'], '', ''],
    [['train', 'train/eval'], '', ''],
    [['x/train', 'x/train/eval'], 'x/', ''],
    [['exp_1', 'exp_2'], '', ''],
    [
      ['resnet18_cifar10_lr0.1_seed3_augmented', 'resnet18_cifar10_lr0.01_seed3_augmented'],
      'resnet18_cifar10_',
      '_seed3_augmented',
    ],
    [['a_name_of_more_letters_than_have_room_', 'a_name_of_more_letters_than_have_room_2'], '', ''],
    [['only/one'], '', ''],
    [[], '', ''],
  ])('of %j share %j and %j', (names, prefix, suffix) => {
    expect(sharedParts(names)).toEqual({ prefix, suffix });
  });
  it('keep something of their own', () => {
    const names = ['a/a/a', 'a/a'];
    const shared = sharedParts(names);
    expect(names.map((name) => ownPart(name, shared))).not.toContain('');
    expect(names.map((name) => shared.prefix + ownPart(name, shared) + shared.suffix)).toEqual(names);
  });
  it('are cut before their ends, and short ones not at all', () => {
    expect(cuttable('train')).toEqual({ head: 'train', tail: '' });
    const long = 'resnet18_cifar10_lr0.001_batch128_seed3';
    const { head, tail } = cuttable(long);
    expect(head + tail).toBe(long);
    expect(tail).toBe('tch128_seed3');
  });
});
