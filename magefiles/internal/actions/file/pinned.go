package file

import (
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/pins"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
)

var (
	commit  = lazyregexp.New(`^[0-9a-f]{40}$`)
	version = lazyregexp.New(`^#\s*(v\d+(?:\.\d+)*)\b`)
)

// CheckPin returns an error if an action's commit does not match the version in the comment, as far as the versions are known.
func CheckPin(n Node) error {
	name, ref := ActionName(n.Text())
	pin, known := pins.Find(name)
	said := version().FindStringSubmatch(n.Comment())
	if !known || said == nil || !commit().MatchString(ref) {
		return nil
	}
	switch {
	case ref == pin.Commit && said[1] != pin.Version && !strings.HasPrefix(pin.Version, said[1]+"."):
		return n.Problem("the commit is %s of %s, but the comment beside the commit says %s: correct the commit or the comment", pin.Version, pin.Action, said[1])
	case ref != pin.Commit && said[1] == pin.Version:
		return n.Problem("the comment says %s of %s, which is the commit %s, but this line has another commit: correct the commit or the comment", said[1], pin.Action, pin.Commit)
	}
	return nil
}

// UnknownPins returns the places where an action with a stand-in is pinned to another commit or tag than the one that the stand-in implements.
func (w *Workflow) UnknownPins() (found []error) {
	for _, j := range w.Jobs {
		for _, s := range j.Node.At("steps").Items() {
			n := s.At("uses")
			name, ref := ActionName(n.Text())
			if pin, known := pins.Find(name); known && ref != pin.Commit {
				found = append(found, n.Problem("the stand-in does not know the version of %s: it does what %s does", n.Text(), pin.Version))
			}
		}
	}
	return found
}

// ActionName splits an action into its lower-case name and its version, after the @.
func ActionName(uses string) (name, version string) {
	name, version, _ = strings.Cut(uses, "@")
	return strings.ToLower(name), version
}
