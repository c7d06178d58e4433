/** Known error texts of FUSE itself: the device, the mount, and what becomes of it. */
import type { CheckTexts } from '../domain/error-texts.ts'

export const fuseTexts: readonly CheckTexts[] = [
  [
    'storage/fuse-device-is-openable',
    [
      [
        '/dev/fuse: Operation not permitted',
        'device-cgroup-denies',
        'The device cgroup of the container does not let it open /dev/fuse.',
      ],
      [
        '/dev/fuse: Permission denied',
        'mode-denies',
        'The mode of /dev/fuse, or a security module, does not let this user open it.',
      ],
      [
        "fuse: device not found, try 'modprobe fuse' first",
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
      [
        "fuse device not found, try 'modprobe fuse' first",
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
      [
        'fuse device … not found. Kernel module not loaded?',
        undefined,
        'The container has no /dev/fuse, or the node no module for it.',
      ],
    ],
  ],
  [
    'storage/fuse-mount-is-permitted',
    [
      [
        'fuse: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fusermount: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fusermount3: mount failed: Permission denied',
        'apparmor-denies',
        'A security module, most often the default AppArmor profile, denies the mount.',
      ],
      [
        'fuse: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        'fusermount: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        'fusermount3: mount failed: Operation not permitted',
        'capability-missing',
        'The container may not mount: it lacks CAP_SYS_ADMIN.',
      ],
      [
        "only allowed if 'user_allow_other' is set in /etc/fuse.conf",
        'allow-other-refused',
        'The fuse.conf of the image does not let users other than root pass allow_other.',
      ],
      [
        'too many FUSE filesystems mounted; mount_max=',
        'too-many-mounts',
        'One user has as many FUSE mounts as fuse.conf lets it have.',
      ],
      [
        'exec: "fusermount": executable file not found in $PATH',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'exec: "fusermount3": executable file not found in $PATH',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'fuse: failed to exec fusermount',
        'helper-missing',
        'The image lacks the helper that mounts for users other than root.',
      ],
      [
        'Bidirectional mount propagation is available only to privileged containers',
        'propagation-needs-privilege',
        'The API server takes Bidirectional mount propagation from privileged containers only.',
      ],
      [
        'apparmor="DENIED" … info="failed mntpnt match"',
        'host-profile-denies-path',
        'An AppArmor profile of the node does not allow a mount at this place.',
      ],
      [
        '/violates PodSecurity "(?:baseline|restricted):[a-z0-9.]{1,20}": .{0,600}(?:privileged|hostPath|SYS_ADMIN)/',
        'pod-security-forbids',
        'The Pod Security level of the namespace forbids what the container needs for mounting.',
      ],
    ],
  ],
  [
    'storage/mount-is-alive',
    [
      ['Transport endpoint is not connected', 'disconnected', 'The process behind the mount has ended.'],
      ['transport endpoint is not connected', 'disconnected', 'The process behind the mount has ended.'],
      [
        'Failed to receive mount options from /comm/mount.sock',
        'disconnected',
        'Mountpoint was not told what to mount.',
      ],
      ['signal: killed', 'out-of-memory', 'The mounter was killed, as a rule for want of memory.'],
      ['OOMKilled, exit code: 137', 'out-of-memory', 'The mounter was killed for want of memory.'],
      [
        'mkdir /gcsfuse-cache/.volumes: permission denied',
        'cache-not-writable',
        'The sidecar may not write into its cache volume.',
      ],
      ['flag provided but not defined: -', 'option-refused', 'The mounter does not know a mount option.'],
      [
        '/(?:gcsfuse|blobfuse2?|sidecar container|goofys|rclone)\\b.{0,300}unknown (?:shorthand )?flag: /',
        'option-refused',
        'The mounter does not know a mount option.',
      ],
      ["/unexpected argument '--[a-z-]{1,60}' found/", 'option-refused', 'The mounter does not know a mount option.'],
      ['fuse: unknown option(s): `', 'option-refused', 'The mounter does not know a mount option.'],
      ['request_wait_answer+0x', 'hung', 'A process waits in the kernel for an answer of a FUSE mount.'],
    ],
  ],
]
