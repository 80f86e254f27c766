package delivery

import "github.com/foopack/foopack/magefiles/internal/session"

// OperationOf is what the kill test ends.
func OperationOf(d *Delivery) *session.Operation[*Plan] { return d.operation() }
