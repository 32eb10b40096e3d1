"""From a question to its answer: retrieval, the model, `/query`, `/stream` and the search of documents."""
