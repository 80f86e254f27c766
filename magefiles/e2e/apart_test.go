package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndependentPackagesRepeatedly releases one package repeatedly while other packages change without a version bump. The published files of the
// other packages must not change.
func TestIndependentPackagesRepeatedly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		o    releaseOptions
	}{
		{"published from here", releaseOptions{by: "here"}},
		{"published by CI", releaseOptions{by: "ci"}},
		{"built by the embedded toolchain, where every commit gives other bytes", releaseOptions{by: "here", real: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.files = configured("versioning = \"independent\"\n")
			r := newReleasing(t, c.o)
			release := func(name, version string) (said string) {
				said = r.ok("release", "-to=patch", "-only="+name, "-publish="+c.o.by, "-yes")
				require.Contains(t, git(t, r.world.Remote, "tag"), name+"/v"+version)
				return said
			}
			const along = "also published, but not tagged"
			require.Contains(t, release("mono-p0002", "0.1.7"), along+", because the channel does not have these versions: mono-core 0.1.6, mono-p0001 0.1.6\n")
			before := r.onChannel()
			for _, version := range []string{"0.1.8", "0.1.9"} {
				write(t, r.dir, "packages/core/src/mono_core/more.py", "VERSION = \""+version+"\"\n")
				r.commitAll("feat: more in core, to be released later")
				require.NotContains(t, release("mono-p0002", version), along)
			}
			after := r.onChannel()
			require.Len(t, after, len(before)+2)
			for file, sum := range before {
				require.Equal(t, sum, after[file], file)
			}
			release("mono-p0001", "0.1.7")
		})
	}
}

// TestOtherBytesBeforeTheTag checks that the next step in the error works. The unfinished release keeps its versions, so the package needs another
// release to get a higher version.
func TestOtherBytesBeforeTheTag(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", real: true})
	r.publishSomething("0.1.7")
	r.bumped()
	write(t, r.dir, "packages/core/src/mono_core/more.py", "MORE = 1\n")
	r.commitAll("feat: more")
	out := r.refused(1, "already has a file of the same name with other bytes", "release", "-to=0.1.7", "-yes")
	require.Contains(t, out, "→ run `mage undo`, and release a higher version")
	require.NotContains(t, out, "continues from here")
	r.ok("undo", "-yes")
	require.Contains(t, r.ok("release", "-to=0.1.8", "-yes"), "v0.1.8 is released")
}
