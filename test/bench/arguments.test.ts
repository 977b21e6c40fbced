import { describe, expect, test } from 'vitest';
import { parseBenchArguments } from '../../bench/arguments.ts';

const KNOWN = ['hash', 'layer'];
const NOTHING = { compare: undefined, result: undefined, help: false };
const parse = (...argv: string[]) => parseBenchArguments(argv, KNOWN);

describe('the arguments of the benchmark', () => {
  test('none means the default scenarios, quick', () => {
    expect(parse()).toEqual({ ...NOTHING, scenarios: [], full: false, runs: undefined });
  });

  test('scenarios and options come in any order, with or without a second --', () => {
    const expected = { ...NOTHING, scenarios: ['layer', 'hash'], full: true, runs: 7 };
    expect(parse('layer', '--full', 'hash', '--runs', '7')).toEqual(expected);
    expect(parse('--full', '--runs=7', '--', 'layer', 'hash')).toEqual(expected);
  });

  test('an unknown scenario is refused with the known ones', () => {
    expect(() => parse('layers')).toThrow('unknown scenario "layers"; known: hash, layer');
  });

  test.each(['0', '101', '2.5', 'many'])('--runs %s is refused', (runs) => {
    expect(() => parse('--runs', runs)).toThrow('--runs takes an integer 1..100');
  });

  test('a result is named to be compared, and only then', () => {
    const files = { compare: 'old.json', result: 'new.json' };
    expect(parse('--compare', 'old.json', '--result=new.json')).toMatchObject(files);
    expect(() => parse('--result', 'new.json')).toThrow('give both');
  });

  test('an unknown option is refused', () => {
    expect(() => parse('--fast')).toThrow('--fast');
  });
});
