package storage

import "testing"

func TestSpansTellOperationAndTable(t *testing.T) {
	for text, name := range map[string]string{
		"select product_id from stock where product_id = $1 for update": "SELECT stock",
		"  update stock set available = $1":                             "UPDATE stock",
		"insert into outbox (id) values ($1)":                           "INSERT outbox",
		"delete from inbox where x":                                     "DELETE inbox",
		"begin":                                                         "BEGIN",
		"commit":                                                        "COMMIT",
		"":                                                              "statement",
	} {
		if got := statementType(text, "127.0.0.1", 5432, "inventory").Name; got != name {
			t.Errorf("%q: %q, not %q", text, got, name)
		}
	}
}
