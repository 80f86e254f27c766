package image

import (
	"context"
	"fmt"
)

// Order is how the commit of an image in a registry stands to ours, as git knows it. Times have no part in it: clocks are
// wrong, two commits are of one second, and SOURCE_DATE_EPOCH may be anything.
type Order int

const (
	Unknown Order = iota // git cannot say: the commit is another repository's, or a shallow clone lacks what is between them
	Behind               // ours is made on it
	Same
	Ahead // it is made on ours
	Apart // neither is made on the other
)

// History says how the commit theirs stands to ours, by their whole names. It is asked of what labels say: theirs may be
// anything.
type History func(ctx context.Context, ours, theirs string) (Order, error)

// Order fills in how the commits of what is held stand to ours. Without a history nothing is known of any but our own.
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

// order is that of what is held, for a commit of ours.
func (h Held) order(revision string) Order {
	if h.Revision != "" && h.Revision == revision {
		return Same
	}
	return h.Order
}

// explainStay says why an image of our own version keeps a tag: "" where ours is made on its commit, or is of it.
func (h Held) explainStay(revision string) string {
	switch h.order(revision) {
	case Behind, Same:
		return ""
	case Ahead:
		return fmt.Sprintf("it has %s of a later commit, %s", h.Version, shortenCommit(h.Revision))
	case Apart:
		return fmt.Sprintf("it has %s of %s, and neither commit is made on the other one", h.Version, shortenCommit(h.Revision))
	}
	return fmt.Sprintf("it has %s of %s, which git cannot compare here (another repository's, or one that this clone lacks: `git fetch`)", h.Version, shortenCommit(h.Revision))
}

// shortenCommit is what a label says of a commit, for people.
func shortenCommit(revision string) string {
	if !isHexadecimal(revision) {
		return "a commit that it does not name"
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
