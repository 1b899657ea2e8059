import type { Deploy, Share } from './model.js'

/**
 * Instances that may hold connections at the worst moment of a rollout of `n`. Kubernetes rounds surge up and unavailable down, and takes
 * unavailable 1 when both are 0. Pods that end keep their connections and are not counted by maxSurge (KEP-5882): when ending takes longer than
 * starting, all old ones may still be there when all new ones are. When it is quicker, at most as many end at once as the controller may
 * replace at once. test/pools/rollout.test.ts holds both against a simulation of the controller.
 * https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment
 */
export function peakInstances(n: number, deploy: Deploy): number {
  switch (deploy.strategy) {
    case 'none':
    case 'recreate':
      return n
    case 'blue_green':
      return 2 * n
    case 'canary':
      return n + roundedUp(n, deploy.share)
    case 'rolling': {
      const surge = roundedUp(n, deploy.maxSurge)
      const unavailable = roundedDown(n, deploy.maxUnavailable)
      if (!deploy.countTerminating) return Math.min(2 * n, n + surge)
      if (!deploy.endsQuickly) return 2 * n
      const replaced = surge + (surge === 0 && unavailable === 0 ? 1 : unavailable)
      return Math.min(2 * n, n + surge + replaced)
    }
  }
}

function roundedUp(n: number, share: Share): number {
  return 'percent' in share ? Math.ceil((n * share.percent) / 100) : share.instances
}

function roundedDown(n: number, share: Share): number {
  return 'percent' in share ? Math.floor((n * share.percent) / 100) : Math.min(share.instances, n)
}
