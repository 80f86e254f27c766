package image

import (
	"context"
	"fmt"
)

// Order is the ancestry relation between our commit and the commit of a registry's image, according to git. Commit times are not used: clocks can
// be wrong, two commits can have the same second, and SOURCE_DATE_EPOCH can be any value.
type Order int

const (
	Unknown Order = iota // git cannot tell: the commit is from another repository, or is missing from a shallow clone
	Behind               // our commit is a descendant of theirs
	Same
	Ahead // their commit is a descendant of ours
	Apart // neither commit is an ancestor of the other
)

// History returns the order of two commits, given as full hashes. theirs comes from a label, so it may be arbitrary text.
type History func(ctx context.Context, ours, theirs string) (Order, error)

// Order sets the Order field of every held image. If h is nil, only images of our own commit get an order.
func (h History) Order(ctx context.Context, ours string, held map[string]Held) error {
	for tag, one := range held {
		var err error
		if one.Order, err = h.relate(ctx, ours, one.Revision); err != nil {
			return err
		}
		held[tag] = one
	}
	return nil
}

func (h History) relate(ctx context.Context, ours, theirs string) (Order, error) {
	switch {
	case ours == theirs && ours != "":
		return Same, nil
	case h == nil || theirs == "":
		return Unknown, nil
	}
	return h(ctx, ours, theirs)
}

// order returns how the image's commit relates to our commit.
func (h Held) order(revision string) Order {
	if h.Revision != "" && h.Revision == revision {
		return Same
	}
	return h.Order
}

// explainStay returns why an image of our version keeps its tag, or "" if our commit is the same or a descendant.
func (h Held) explainStay(revision string) string {
	switch h.order(revision) {
	case Behind, Same:
		return ""
	case Ahead:
		return fmt.Sprintf("it points to %s of a later commit, %s", h.Version, shortenCommit(h.Revision))
	case Apart:
		return fmt.Sprintf("it points to %s of %s, and neither commit contains the other", h.Version, shortenCommit(h.Revision))
	}
	return fmt.Sprintf("it points to %s of %s, which git cannot compare with our commit (run `git fetch` if this clone lacks the commit; it may also be of another repository)", h.Version, shortenCommit(h.Revision))
}

// shortenCommit abbreviates a commit from a label for display.
func shortenCommit(revision string) string {
	if !isHexadecimal(revision) {
		return "an unknown commit"
	}
	return revision[:min(12, len(revision))]
}

func isHexadecimal(s string) bool {
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}
