package store

import (
	"fmt"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// Fill adds n records with different names to the in-memory index, without files.
func Fill(_ testing.TB, c channel.Channel, r condapkg.Record, n int) {
	d := c.(*folder).subdirs["noarch"]
	for i := range n {
		r.Name = fmt.Sprintf("name-%d", i)
		d.add(r)
	}
}
