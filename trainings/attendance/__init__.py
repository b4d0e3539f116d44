"""Who was there: recording attendance by name, by ticket and in the matrix.

Promises that "not recorded" differs from "absent", that a second recording of the same thing
changes nothing, and that every correction keeps who, when and the old value.
"""
