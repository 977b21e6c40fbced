/** The fields of a configuration, for checks of files and of objects, and for editors. */

import { z } from 'zod';
import { RATED_OPERATIONS } from '../ecr/call-quota.ts';
import {
  endpointProblem,
  fileFromProblem,
  fromProblem,
  globProblem,
  hostProblem,
  platformProblem,
  rangeProblem,
  regexProblem,
  registryIdProblem,
  targetNameProblem,
  type TextCheck,
  variableProblem,
} from './config-value.ts';
import { templateProblem } from './repository-name.ts';

/** Texts that may be written like numbers: the reader keeps their digits. */
const numberLike = new Set<unknown>();
/** Fields of which all may be left out, and then the value as well: `targets: {main: }`. */
const emptiable = new Set<unknown>();

/** No other fields than these; the message names them. */
function fields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape, { error: noField(Object.keys(shape)) });
}

function noField(names: readonly string[]): z.core.$ZodErrorMap {
  return (issue) =>
    issue.code === 'unrecognized_keys'
      ? `is no field here; expected ${names.join(', ')}`
      : undefined;
}

function text(check?: TextCheck): z.ZodString {
  const schema = z.string().min(1);
  if (check === undefined) return schema;
  return schema.superRefine((value, context) => {
    const problem = value === '' ? undefined : check(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });
}

function digits(check?: TextCheck): z.ZodString {
  const schema = text(check);
  numberLike.add(schema);
  return schema;
}

const list = <Item extends z.ZodType>(item: Item): z.ZodArray<Item> => z.array(item).min(1);

const registrySettings = fields({
  credentials: fields({
    username: digits().describe('User, or what the registry takes for one.'),
    passwordEnv: text(variableProblem).describe('Environment variable that holds the password.'),
  })
    .optional()
    .describe(
      "Default: Docker's configuration and its credential helpers; for ECR, AWS's credentials.",
    ),
  plainHttp: z
    .boolean()
    .optional()
    .describe('Speaks HTTP without TLS. Default: only for localhost and loopback addresses.'),
  certificateAuthorityFile: text()
    .optional()
    .describe("A file of PEM certificates to trust beside Node's own."),
  requestsInFlight: z
    .int()
    .min(1)
    .max(256)
    .optional()
    .describe('Requests at once, downloads included. Default 32.'),
});

// No rate at all is infinite; JSON has no word for it, YAML has `.inf`.
const rate = z.number().min(0.1).max(100_000).or(z.literal(Infinity));

const targetSettings = fields({
  region: text().optional().describe("AWS region. Default: AWS's settings chain."),
  registryId: digits(registryIdProblem)
    .optional()
    .describe('Account, 12 digits. Default: the account of the credentials.'),
  profile: digits().optional().describe("Profile of AWS's configuration files."),
  endpoint: text(endpointProblem).optional().describe("Endpoint of ECR. Default: AWS's own."),
  callsPerSecondMax: z
    .partialRecord(z.enum(RATED_OPERATIONS), rate, { error: noField(RATED_OPERATIONS) })
    .optional()
    .describe("Calls per second by operation. Default: 80 % of ECR's default quotas."),
});

const tagFilter = fields({
  include: list(digits(globProblem))
    .optional()
    .describe('Tags, or globs with *, ?, [...] and {a,b}. Plain tags are not looked up in a list.'),
  regex: list(digits(regexProblem))
    .optional()
    .describe('JavaScript regular expressions (Unicode mode) that must match the whole tag.'),
  semver: digits(rangeProblem)
    .optional()
    .describe('A range as npm has it, such as ">=1.20 <2 || ~3.1". A leading v is overlooked.'),
  prereleases: z
    .boolean()
    .optional()
    .describe('Takes prereleases (1.2.0-rc.1) into semver as well. Default false.'),
  exclude: list(digits(globProblem)).optional().describe('Globs of tags never to be taken.'),
  newest: z
    .int()
    .min(1)
    .optional()
    .describe(
      'How many to keep at most: the highest versions, then others by name, the last first.',
    ),
});

const repositorySettings = fields({
  imageTagMutability: z
    .enum(['MUTABLE', 'IMMUTABLE', 'IMMUTABLE_WITH_EXCLUSION', 'MUTABLE_WITH_EXCLUSION'])
    .optional()
    .describe('Whether tags can be moved. Default of ECR: MUTABLE.'),
  imageTagMutabilityExclusionFilters: list(
    fields({
      filterType: z.literal('WILDCARD').describe('The one type there is.'),
      filter: digits().describe('Tags, with * for anything.'),
    }),
  )
    .optional()
    .describe('Tags that imageTagMutability does not concern, with ..._WITH_EXCLUSION.'),
  imageScanningConfiguration: fields({
    scanOnPush: z.boolean().optional().describe('Whether images are scanned as they arrive.'),
  })
    .optional()
    .describe('Scanning of the repository.'),
  encryptionConfiguration: fields({
    encryptionType: z.enum(['AES256', 'KMS', 'KMS_DSSE']).describe('Default of ECR: AES256.'),
    kmsKey: text().optional().describe("Key's ARN, id or alias. Default: the key of AWS for ECR."),
  })
    .optional()
    .describe('Encryption at rest.'),
  tags: z
    .array(
      fields({
        Key: digits().describe('Name of the tag.'),
        Value: z.string().describe('Value of the tag.'),
      }),
    )
    .optional()
    .describe('AWS tags of the repository, not of images.'),
}).describe("Settings of the new repository, as ECR's CreateRepository has them.");

const mappingFields = {
  to: text((template) => templateProblem(template))
    .optional()
    .describe(
      'Repository in the target; {registry}, {repository}, {namespace} and {name} stand for those of the source. Default {repository}.',
    ),
  targets: list(text()).optional().describe('Names in targets. Default: all.'),
  tags: tagFilter
    .optional()
    .describe(
      'Which tags: those that include, regex or semver takes (all, if none is given) and exclude does not; of these the newest. Default: every tag.',
    ),
  platforms: list(text(platformProblem))
    .optional()
    .describe(
      'os/architecture[/variant]; of several an index of only these is made. Default: all.',
    ),
  referrers: z
    .boolean()
    .optional()
    .describe('Also copies signatures, SBOMs and the like. Default false.'),
  immutableTags: list(digits(globProblem))
    .optional()
    .describe(
      'Globs of tags that never move at the source: in the target they are not looked at again. Default: none.',
    ),
  createRepository: z
    .union([z.boolean(), repositorySettings])
    .optional()
    .describe(
      "Creates missing repositories, with these settings or ECR's defaults. Default false.",
    ),
};

const FROM =
  'Source repository: docker.io/library/nginx, or with * and ** in the repository part (ghcr.io/team/*); ' +
  'or the folder of an OCI layout: oci:./images.';
const FROM_OF_FILE = `${FROM} One repository can have a tag: nginx:1.27 is nginx with tags.include [1.27].`;

function mapping(check: TextCheck, description: string): z.ZodType {
  const from = text(check);
  return fields({ from: z.union([from, list(from)]).describe(description), ...mappingFields });
}

const shared = {
  registries: z
    .record(text(hostProblem), emptiableOf(registrySettings))
    .optional()
    .describe('Settings of source registries by host, as references have it: docker.io, ghcr.io.'),
  targets: z
    .record(text(targetNameProblem), emptiableOf(targetSettings))
    .describe('The ECR registries to fill, by names of your own; one account and region each.'),
};
const MAPPINGS = 'Which images go where.';

function emptiableOf<Schema extends z.ZodType>(schema: Schema): Schema {
  emptiable.add(schema);
  return schema;
}

/** What the library is given. */
export const configSchema: z.ZodType = fields({
  ...shared,
  mappings: list(mapping(fromProblem, FROM)).describe(MAPPINGS),
});

/** What a file says. */
export const configFileSchema: z.ZodType = fields({
  version: z.literal(1).describe('Of the format of this file.'),
  ...shared,
  defaults: fields(mappingFields)
    .optional()
    .describe('Fields of mappings, for those that do not give them.'),
  mappings: list(mapping(fileFromProblem, FROM_OF_FILE)).describe(MAPPINGS),
}).meta({ title: 'longshore sync', description: 'What longshore sync copies into Amazon ECR.' });

/** The file's JSON schema (draft 7, which editors know). */
export function configFileJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configFileSchema, {
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      if (numberLike.has(zodSchema)) jsonSchema.type = ['string', 'number'] as unknown as 'string';
      if (emptiable.has(zodSchema)) jsonSchema.type = ['object', 'null'] as unknown as 'object';
      if (zodSchema === (rate as unknown)) {
        delete jsonSchema.anyOf;
        Object.assign(jsonSchema, { type: 'number', minimum: 0.1 });
      }
    },
  });
}
