package e2e_test

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesApartAgain releases one package again and again, while others change that keep their versions: what was published
// of those stays.
func TestPackagesApartAgain(t *testing.T) {
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
			release := func(name, version string) {
				r.ok("release", "-to=patch", "-only="+name, "-publish="+c.o.by, "-yes")
				require.Contains(t, git(t, r.world.Remote, "tag"), name+"/v"+version)
			}
			release("mono-p0002", "0.1.7")
			before := r.onChannel()
			for _, version := range []string{"0.1.8", "0.1.9"} {
				write(t, r.dir, "packages/core/src/mono_core/more.py", "VERSION = \""+version+"\"\n")
				r.commitAll("feat: more in core, to be released later")
				release("mono-p0002", version)
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
