/** `kubectl wi doctor`: examines workloads' cloud identities and reports. */
import { Args, Command } from '@oclif/core'
import { doctorFlags } from '../flags/doctor.ts'

export default class Doctor extends Command {
  static override summary = 'Find out why a workload cannot get or use its cloud identity.'
  static override description =
    `Examines ServiceAccounts, their pods, the cluster's token issuer and the cloud's trust in it, and says which one thing is wrong, on what evidence, and what puts it right. Nothing is changed anywhere.

TARGET is sa/NAME, pod/NAME, deployment/NAME (or statefulset, daemonset, job, cronjob) or node/NAME. Without one: every ServiceAccount of the namespace that has, or whose pods expect, a cloud identity. With -f everything is read from documents as kubectl, aws and curl print them, and no cluster is asked.

What cannot be seen is never taken for a fault: it is reported as not seen, with what would let us see it.

EXIT CODES
  0  healthy
  1  unhealthy: at least one error was found
  2  usage, or the tool could not run at all
  3  inconclusive: something that matters could not be seen`
  static override examples = [
    { description: 'One ServiceAccount', command: '<%= config.bin %> doctor sa/cart -n shop' },
    { description: 'Whoever runs in this Deployment', command: '<%= config.bin %> doctor deployment/cart -n shop' },
    { description: 'Everything, one line a finding', command: '<%= config.bin %> doctor -A -o wide' },
    { description: 'From documents, without a cluster', command: '<%= config.bin %> doctor -f ./collected' },
    {
      description: 'What would the doctor say if this were applied?',
      command: '<%= config.bin %> doctor -f serviceaccount.yaml --overlay -n shop',
    },
    {
      description: 'Why a job on a compute site cannot use the Kubernetes API; run inside it',
      command: '<%= config.bin %> doctor --remote',
    },
    { description: 'In a pipeline', command: '<%= config.bin %> doctor -A -o json --fail-on warning > report.json' },
  ]
  static override usage = 'doctor [TARGET…] [-n NAMESPACE | -A] [-f PATH…] [-o FORMAT]'
  static override strict = false
  static override args = {
    target: Args.string({ ignoreStdin: true, description: 'sa/NAME, pod/NAME, deployment/NAME, …' }),
  }
  static override flags = doctorFlags

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Doctor)
    const targets = argv.filter((word) => typeof word === 'string')
    if (flags.remote) {
      const [{ remote }, { usage }] = await Promise.all([
        import('../examine/remote.ts'),
        import('../examine/trouble.ts'),
      ])
      if (targets.length > 0) throw usage(`--remote looks at the job that it runs in, and not at ${targets.join(' ')}`)
      process.exitCode = await remote(flags, { version: this.config.version, process })
      return
    }
    const { doctor } = await import('../examine/doctor.ts')
    process.exitCode = await doctor(targets, flags, { version: this.config.version, process })
  }
}
