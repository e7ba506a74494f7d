"""Allowances"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    op.create_table('allowance',
    sa.Column('connection', sa.Text(), nullable=False, comment='its key in the configuration'),
    sa.Column('spent_until', sa.BigInteger(), nullable=False, comment='when the bucket of its requests is full again'),
    sa.PrimaryKeyConstraint('connection', name=op.f('pk_allowance')),
    comment='The requests that all processes together may still send over a connection.',
    sqlite_with_rowid=False
    )


def downgrade() -> None:
    op.drop_table('allowance')
