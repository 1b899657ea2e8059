/** What a platform does with running instances when nobody configured it. */
export interface PlatformRollout {
  readonly strategy: 'rolling' | 'recreate'
  readonly maxSurge: number | string
  readonly maxUnavailable: number | string
  readonly source: string
}

const replaced = { strategy: 'recreate', maxSurge: 0, maxUnavailable: '100%' } as const

/** Default rollouts by platform, as each manual states them. */
export const platforms = {
  kubernetes: {
    strategy: 'rolling',
    maxSurge: '25%',
    maxUnavailable: '25%',
    source: 'Kubernetes manual, Deployment: maxSurge and maxUnavailable are 25 %',
  },
  // maximumPercent 200 starts all new tasks beside the old ones.
  ecs: {
    strategy: 'rolling',
    maxSurge: '100%',
    maxUnavailable: 0,
    source: 'ECS manual, deploymentConfiguration: minimumHealthyPercent 100, maximumPercent 200',
  },
  swarm: {
    strategy: 'rolling',
    maxSurge: 0,
    maxUnavailable: 1,
    source: 'Compose deploy specification, update_config: parallelism 1, order stop-first',
  },
  compose: { ...replaced, source: 'docker compose up stops a container before it makes the new one' },
  systemd: { ...replaced, source: 'systemctl restart stops a unit before it starts it' },
} as const satisfies Readonly<Record<string, PlatformRollout>>

export const platformNames = [
  'kubernetes',
  'ecs',
  'swarm',
  'compose',
  'systemd',
] as const satisfies readonly (keyof typeof platforms)[]
