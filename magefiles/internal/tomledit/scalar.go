package tomledit

import (
	"errors"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pelletier/go-toml/v2/unstable"
)

// scalar sets n to the value of v, whose source text ends at offset end.
func (b *builder) scalar(n *Node, v *unstable.Node, end int) error {
	switch v.Kind {
	case unstable.String:
		n.Kind, n.Value = String, string(v.Data)
		return nil
	case unstable.Bool:
		n.Kind, n.Value = Bool, v.Data[0] == 't'
		return nil
	}
	// Numbers and dates are rare in manifests, so leave their syntax and limits to BurntSushi/toml.
	var holder struct{ V any }
	if _, err := toml.Decode("V="+string(b.doc.Src[n.Start:end]), &holder); err != nil {
		return b.doc.Errorf(n.Start, "%s is not a valid value: %s", b.doc.Src[n.Start:end], reason(err))
	}
	n.Value = holder.V
	switch v.Kind {
	case unstable.Integer:
		n.Kind = Integer
	case unstable.Float:
		n.Kind = Float
	default:
		n.Kind = Datetime
	}
	return nil
}

// reason returns the message of a BurntSushi/toml error without its position, which is relative to the value.
func reason(err error) string {
	var p toml.ParseError
	if errors.As(err, &p) {
		return p.Message
	}
	return strings.TrimPrefix(err.Error(), "toml: ")
}
