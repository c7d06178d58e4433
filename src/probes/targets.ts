/** What a person may name on the command line, read into a kind and a name. */

export type Target = { readonly kind: string; readonly name: string }

const kinds: { readonly [word: string]: string } = {
  sa: 'ServiceAccount',
  serviceaccount: 'ServiceAccount',
  serviceaccounts: 'ServiceAccount',
  po: 'Pod',
  pod: 'Pod',
  pods: 'Pod',
  no: 'Node',
  node: 'Node',
  nodes: 'Node',
  deploy: 'Deployment',
  deployment: 'Deployment',
  deployments: 'Deployment',
  sts: 'StatefulSet',
  statefulset: 'StatefulSet',
  statefulsets: 'StatefulSet',
  ds: 'DaemonSet',
  daemonset: 'DaemonSet',
  daemonsets: 'DaemonSet',
  job: 'Job',
  jobs: 'Job',
  cj: 'CronJob',
  cronjob: 'CronJob',
  cronjobs: 'CronJob',
  rs: 'ReplicaSet',
  replicaset: 'ReplicaSet',
  replicasets: 'ReplicaSet',
}

/** `sa/cart` → {kind, name}; a text that is none → the sentence that says why. */
export function readTarget(text: string): Target | string {
  const [word = '', name, ...rest] = text.split('/')
  const kind = kinds[word.toLowerCase()]
  if (name === undefined || name === '' || rest.length > 0)
    return `${JSON.stringify(text)} is no target; write KIND/NAME, for example sa/${name === undefined || name === '' ? word || 'cart' : name}`
  if (kind === undefined)
    return `${JSON.stringify(text)}: ${word} is not a kind that can be examined; use sa, pod, deployment, statefulset, daemonset, job, cronjob or node`
  return { kind, name }
}
