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

// CheckPin refuses a commit beside which a comment names another version of the action than the one that it is, as far as that is known.
func CheckPin(n Node) error {
	name, ref := ActionName(n.Text())
	pin, known := pins.Of(name)
	said := version().FindStringSubmatch(n.Comment())
	if !known || said == nil || !commit().MatchString(ref) {
		return nil
	}
	switch {
	case ref == pin.Commit && said[1] != pin.Version && !strings.HasPrefix(pin.Version, said[1]+"."):
		return n.Problem("the commit is %s of %s, and the comment beside it says %s: correct one of them", pin.Version, pin.Action, said[1])
	case ref != pin.Commit && said[1] == pin.Version:
		return n.Problem("the comment says %s of %s, which is the commit %s, and here is another one: correct one of them", said[1], pin.Action, pin.Commit)
	}
	return nil
}

// UnknownPins are the places of a file where an action has a stand-in, and stands by another commit, or tag, than the one that the stand-in is after.
func (w *Workflow) UnknownPins() (found []error) {
	for _, j := range w.Jobs {
		for _, s := range j.Node.At("steps").Items() {
			n := s.At("uses")
			name, ref := ActionName(n.Text())
			if pin, known := pins.Of(name); known && ref != pin.Commit {
				found = append(found, n.Problem("%s is not known by that: the stand-in does what %s does", n.Text(), pin.Version))
			}
		}
	}
	return found
}

// ActionName is the name of an action without its version: what stands before the @, in lower case.
func ActionName(uses string) (name, version string) {
	name, version, _ = strings.Cut(uses, "@")
	return strings.ToLower(name), version
}
