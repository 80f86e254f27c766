package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesApartAgain releases one package again and again, while others change that keep their versions: what was published
// of those stays.
func TestPackagesApartAgain(t *testing.T) {
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
			const along = "published along, and not tagged"
			require.Contains(t, release("mono-p0002", "0.1.7"), along+", since the channel has no such version: mono-core 0.1.6, mono-p0001 0.1.6\n")
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

// TestOtherBytesBeforeTheTag says a way that there is: the release that is unfinished is of the versions that were agreed to, so
// that a higher one needs another release.
func TestOtherBytesBeforeTheTag(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, releaseOptions{by: "here", real: true})
	r.publishSomething("0.1.7")
	r.bumped()
	write(t, r.dir, "packages/core/src/mono_core/more.py", "MORE = 1\n")
	r.commitAll("feat: more")
	out := r.refused(1, "has other bytes than these", "release", "-to=0.1.7", "-yes")
	require.Contains(t, out, "→ `mage undo`, and release a higher version")
	require.NotContains(t, out, "goes on from here")
	r.ok("undo", "-yes")
	require.Contains(t, r.ok("release", "-to=0.1.8", "-yes"), "v0.1.8 is released")
}
