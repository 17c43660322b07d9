"""A class: the course built for it, graded, shown; the site; lessons executed in place."""
