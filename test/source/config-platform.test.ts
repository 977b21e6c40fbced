import { describe, expect, test } from 'vitest';
import { DOCKER_CONFIG, OCI_CONFIG } from '../../src/image/media-type.ts';
import { isImageConfig, platformOfConfig } from '../../src/source/config-platform.ts';

function platformOf(config: unknown): unknown {
  return platformOfConfig(Buffer.from(JSON.stringify(config)));
}

describe('the platform in a config', () => {
  test.each([
    [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'amd64' },
    ],
    [
      { os: 'linux', architecture: 'arm', variant: 'v7', rootfs: {} },
      { os: 'linux', architecture: 'arm', variant: 'v7' },
    ],
    [
      { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348' },
      { os: 'windows', architecture: 'amd64', osVersion: '10.0.20348' },
    ],
    [
      { os: 'linux', architecture: 'amd64', variant: '', 'os.version': 3 },
      { os: 'linux', architecture: 'amd64' },
    ],
  ])('of %j', (config, platform) => {
    expect(platformOf(config)).toEqual(platform);
  });

  test.each([
    {},
    { os: 'linux' },
    { os: '', architecture: 'amd64' },
    { os: 1, architecture: 2 },
    [],
  ])('is none in %j', (config) => {
    expect(platformOf(config)).toBeUndefined();
  });

  test('is none in what is not JSON', () => {
    expect(platformOfConfig(Buffer.from('os=linux'))).toBeUndefined();
  });

  test('is looked for in configs of images only', () => {
    expect([OCI_CONFIG, DOCKER_CONFIG].every(isImageConfig)).toBe(true);
    expect(isImageConfig('application/vnd.oci.empty.v1+json')).toBe(false);
  });
});
