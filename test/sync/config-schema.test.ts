import { describe, expect, test } from 'vitest';
import { configFileJsonSchema } from '../../src/sync/config-schema.ts';

const PUBLISHED = '../../src/sync/sync.schema.json';

interface Schema {
  readonly type?: unknown;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}

/** Paths of fields, of ours and not of ECR's, that nothing is said about. */
function silentFields(schema: Schema, path = ''): readonly string[] {
  const inside = [
    schema.items,
    ...(schema.anyOf ?? []),
    typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined,
  ];
  return [
    ...inside.flatMap((one) => (one === undefined ? [] : silentFields(one, `${path}/`))),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
      const own = field.description === undefined ? [`${path}.${name}`] : [];
      return [...own, ...silentFields(field, `${path}.${name}`)];
    }),
  ];
}

describe('the JSON schema of the file', () => {
  // `npx vitest run test/sync/config-schema.test.ts --update` writes it anew.
  test('is published as the definition has it', async () => {
    const text = `${JSON.stringify(configFileJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(PUBLISHED);
  });

  test('says something about every field', () => {
    expect(silentFields(configFileJsonSchema() as Schema)).toEqual([]);
  });

  test('lets tags be written like numbers, as the reader does', () => {
    const { defaults, version } = (configFileJsonSchema() as Schema).properties ?? {};
    const { include, newest } = defaults?.properties?.['tags']?.properties ?? {};
    expect(include?.items?.type).toEqual(['string', 'number']);
    expect([newest?.type, version?.type]).toEqual(['integer', 'number']);
  });
});
